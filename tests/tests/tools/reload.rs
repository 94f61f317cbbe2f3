//! `enforcer reload`, SIGHUP and `enforcer config show`.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use enforcer_tests::{
    config::Config,
    gateway::Gateway,
    host::{Host, SILENCE},
    lan::{SERVER, at},
    namespace::output,
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;

fn ip(site: &Site, arguments: &str) -> anyhow::Result<()> {
    let mut ip = site.lan.gateway.command("ip");
    output(ip.args(arguments.split(' '))).map(drop)
}

/// What quarantined hosts reach beside the usual.
fn with_way_to_the_server() -> String {
    format!("[[role.quarantine.rule]]\nto = [\"{SERVER}\"]\nprotocol = \"tcp\"\nports = [{HTTP}]\n")
}

fn with(sections: String) -> Config {
    Config {
        sections,
        ..Config::default()
    }
}

/// Sends datagrams one after the other until it is told to stop; how many had an answer, and how many had none.
fn send_all_the_time(host: &Host, stop: &AtomicBool) -> (u64, u64) {
    let socket = host.datagrams(at(SERVER, ECHO), SILENCE).expect("a socket");
    let (mut answered, mut silent) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        // An error that came before keeps nothing from being sent the next time.
        while socket.send(b"ping").is_err() {}
        let is_answered = socket.recv(&mut [0; 4]).is_ok();
        *if is_answered {
            &mut answered
        } else {
            &mut silent
        } += 1;
    }
    (answered, silent)
}

/// How many packets of hosts that may not were stopped; what goes to the portal is none of them.
fn stopped(gateway: &Gateway<'_>) -> u64 {
    let verdicts = ["reject", "drop"];
    let stopped = verdicts.map(|verdict| gateway.packets("xdp", verdict, "role_denies"));
    stopped.iter().sum()
}

#[test]
fn every_packet_is_judged_while_the_configuration_changes() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    site.report(good, &Posture::good("laptop"))?;
    site.report(bad, &Posture::bad("desktop"))?;
    wait::until_so("both are decided", || {
        gateway.role(good.v4) == "authorized" && gateway.role(bad.v4) == "quarantine"
    });
    // The switch between the cables is not what is tested: both have sent before.
    assert!(good.echoes(at(SERVER, ECHO), SILENCE) && !bad.echoes(at(SERVER, ECHO), SILENCE));
    ip(&site, "link add guest0 type veth peer name guest1")?;
    ip(&site, "link set guest0 up")?;
    let before = stopped(&gateway);
    let stop = AtomicBool::new(false);
    let (passed, held) = thread::scope(|scope| {
        let passed = scope.spawn(|| send_all_the_time(good, &stop));
        let held = scope.spawn(|| send_all_the_time(bad, &stop));
        let played = change_everything(&site, &gateway);
        stop.store(true, Ordering::Relaxed);
        played.map(|()| (passed.join(), held.join()))
    })?;
    let (passed, held) = (passed.expect("no panic"), held.expect("no panic"));
    assert!(
        passed.0 > 100 && passed.1 == 0,
        "answered and not: {passed:?}"
    );
    assert!(held.0 == 0 && held.1 > 10, "answered and not: {held:?}");
    // Each of them was stopped by its role, and none by chance or otherwise.
    assert_eq!(stopped(&gateway) - before, held.1);
    Ok(())
}

fn change_everything(site: &Site, gateway: &Gateway<'_>) -> anyhow::Result<()> {
    let bad = &site.lan.desktop;
    let changed = |words: &[&str]| -> anyhow::Result<()> {
        let done = site.control(&["reload"])?;
        assert_eq!(done["changed"], Value::from(words.to_vec()), "{done:#}");
        Ok(())
    };
    changed(&[])?;
    for _ in 0..3 {
        // A rule opens a way and closes it again.
        site.configure(&with(with_way_to_the_server()))?;
        changed(&["role.quarantine"])?;
        assert!(bad.get(at(SERVER, HTTP)).is_page());
        site.configure(&Config::default())?;
        changed(&["role.quarantine"])?;
        assert!(!bad.get(at(SERVER, HTTP)).is_page());

        // An interface comes, with a role, other limits, scopes and texts, and all of it goes.
        let sections = "[[interface]]\nname = \"guest0\"\nzone = \"lan\"\n\
             [[scope]]\nprefix = \"203.0.113.0/24\"\naction = \"bypassed\"\n\
             [role.guests]\ndefault = \"allow\"\n\
             [limits]\nreplies_per_second = 500\n";
        site.configure(&Config {
            keys: "operators = [\"203.0.113.7\"]\n".to_owned(),
            ..with(sections.to_owned())
        })?;
        let text = fs::read_to_string(site.config_file())?;
        site.write_config(&text.replace("Example Ltd", "Another Ltd"))?;
        changed(&[
            "interface",
            "limits.replies_per_second",
            "operators",
            "portal.organisation",
            "role.guests",
            "scope",
        ])?;
        let status = site.control(&["status"])?;
        assert_eq!(status["interfaces"][1]["name"], "guest0");
        assert_eq!(status["interfaces"][1]["attached"], true);
        assert!(status["hosts_by_role"].get("guests").is_some());
        wait::until_so("the page names another organisation", || {
            bad.get_within(at(SERVER, HTTP), "/", SILENCE)
                .leads_to()
                .and_then(|portal| {
                    portal
                        .strip_prefix("http://")?
                        .split('/')
                        .next()?
                        .parse()
                        .ok()
                })
                .is_some_and(|portal| bad.get(portal).text().contains("Another Ltd"))
        });
        assert!(gateway.is_ready());
        // And a reload by signal takes it back.
        site.configure(&Config::default())?;
        kill(gateway.pid(), Signal::SIGHUP)?;
        wait::until_so("the interface is judged no longer", || {
            site.control(&["status"])
                .is_ok_and(|status| status["interfaces"].as_array().map(Vec::len) == Some(1))
        });
    }
    let events = site
        .operator(&["events", "--kind", "configuration"])
        .output()?;
    let events = String::from_utf8(events.stdout)?;
    assert!(
        events.contains("root put ") && events.contains("SIGHUP put "),
        "{events}"
    );
    Ok(())
}

#[test]
fn what_is_wrong_changes_nothing_at_all() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let bad = &site.lan.desktop;
    site.report(bad, &Posture::bad("desktop"))?;
    wait::until_so("it is decided", || gateway.role(bad.v4) == "quarantine");
    let before = site.control(&["config", "show", "--effective"])?;
    let good = fs::read_to_string(site.config_file())?;
    let more = |text: &str| format!("{good}\n{text}\n");
    // Each of these has beside its fault something that would open a way.
    let way = with_way_to_the_server();
    for (text, said) in [
        (format!("nonsense\n{good}"), "TOML"),
        (
            more(&format!("{way}[limitz]\nx = 1")),
            "unknown key `limitz`",
        ),
        (
            more(&format!("{way}[[interface]]\nname = \"none0\"")),
            "none0",
        ),
        (
            more(&way).replace("host_capacity = 4096", "host_capacity = 8192"),
            "host_capacity",
        ),
        (
            more(&way).replace("lease = \"180s\"", "lease = \"60s\""),
            "only a restart can change: management",
        ),
        (
            more(&way).replace("zone = \"lan\"", "zone = \"moon\""),
            "zones, interface[0].zone",
        ),
        (
            more(&way).replace("name = \"lan0\"", "name = \"lan0\"\nhook = \"tc\""),
            "interface[0].hook",
        ),
        (String::new(), "interface"),
    ] {
        site.write_config(&text)?;
        let done = site.operator(&["reload"]).output()?;
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{said}: {error}");
        assert!(error.contains(said), "{said}: {error}");
        assert!(error.contains("what was in force still is"), "{error}");
        assert_eq!(
            site.control(&["config", "show", "--effective"])?,
            before,
            "{said}"
        );
        assert!(!bad.get(at(SERVER, HTTP)).is_page(), "{said}");
    }
    fs::remove_file(site.config_file())?;
    assert_eq!(site.operator(&["reload"]).output()?.status.code(), Some(1));
    kill(gateway.pid(), Signal::SIGHUP)?;
    wait::until_so("the log says so", || {
        gateway
            .log()
            .matches("cannot read the configuration")
            .count()
            > 1
    });
    assert!(gateway.is_ready());

    // What the kernel refuses half way is taken back as a whole: a bridge takes no XDP program.
    ip(&site, "link add guest0 type veth peer name guest1")?;
    ip(&site, "link add bridge0 type bridge")?;
    let interface = |name: &str| format!("[[interface]]\nname = \"{name}\"\nzone = \"lan\"\n");
    let loose = interface("guest0") + "bind_mac = false";
    site.write_config(&more(&format!("{way}{loose}")))?;
    let done = site.operator(&["reload"]).output()?;
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(
        error.contains("only a restart can change: interface.bind_mac"),
        "{error}"
    );
    let bridge = interface("bridge0") + "hook = \"xdp\"";
    site.write_config(&more(&format!("{way}{}{bridge}", interface("guest0"))))?;
    let done = site.operator(&["reload"]).output()?;
    let error = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{error}");
    assert!(
        error.contains("bridge0") && error.contains("what was in force still is"),
        "{error}"
    );
    assert_eq!(site.control(&["config", "show", "--effective"])?, before);
    assert_eq!(
        site.control(&["status"])?["interfaces"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let mut links = site.lan.gateway.command("ip");
    let links = output(links.args(["-json", "link", "show", "guest0"]))?;
    assert!(!links.contains("\"xdp\""), "{links}");
    assert!(!bad.get(at(SERVER, HTTP)).is_page());
    Ok(())
}

/// The policy that comes with the server, which gives devices without a firewall a role that gateways do not have.
fn policy(site: &Site) -> anyhow::Result<String> {
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../enforcer-user/server/policy.example.toml"
    );
    let text = fs::read_to_string(example)?;
    let own = text.replace("warning = \"quarantine\"", "warning = \"repair\"");
    assert_ne!(own, text);
    let path = site.path("policy.toml");
    fs::write(&path, own)?;
    let path = path.display();
    Ok(format!("[management.embedded]\npolicy = \"{path}\"\n"))
}

#[test]
fn roles_come_and_change_while_it_runs() -> anyhow::Result<()> {
    let site = Site::new()?;
    let policy = policy(&site)?;
    let configure = |sections: &str| -> anyhow::Result<()> {
        let text = with(sections.to_owned()).text(&site);
        site.write_config(&text.replace("[management.embedded]\n", &policy))
    };
    configure("")?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    assert_eq!(site.report(host, &Posture::bad("laptop"))?, "repair");
    wait::until_so("it is decided, by a role that is not there", || {
        gateway.has_logged("names a role that this gateway does not have")
    });
    assert!(!host.passes(at(SERVER, HTTP)));

    configure("[role.repair]\ndefault = \"allow\"\n")?;
    assert_eq!(
        site.control(&["reload"])?["changed"],
        Value::from(vec!["role.repair"])
    );
    assert_eq!(gateway.role(host.v4), "repair");
    assert!(host.passes(at(SERVER, HTTP)));
    configure("")?;
    let done = site.operator(&["reload"]).output()?;
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(
        error.contains("lacks the role `repair`, which 1 endpoints have"),
        "{error}"
    );
    assert!(host.passes(at(SERVER, HTTP)));

    // Another one whose name comes before it takes no number away, now or at the next start.
    configure("[role.cameras]\ndefault = \"deny\"\n[role.repair]\ndefault = \"allow\"\n")?;
    site.control(&["reload"])?;
    assert_eq!(gateway.role(host.v4), "repair");
    gateway.kill()?;
    assert!(host.passes(at(SERVER, HTTP)));
    let gateway = site.start()?;
    assert!(host.passes(at(SERVER, HTTP)));
    assert!(!gateway.has_logged("other numbers"));
    assert_eq!(gateway.role(host.v4), "repair");

    // A role that stops from now on cuts what its hosts have open.
    let mut stream = host.connect(at(SERVER, ECHO))?;
    configure("[role.cameras]\ndefault = \"deny\"\n[role.repair]\ndefault = \"deny\"\n")?;
    site.control(&["reload"])?;
    assert!(!host.passes(at(SERVER, HTTP)));
    let detail = site.control(&["host", &host.v4.to_string()])?;
    assert_eq!(detail["kernel"]["closing"], true, "{detail:#}");
    let echoed = std::io::Write::write_all(&mut stream, b"ping")
        .and_then(|()| std::io::Read::read_exact(&mut stream, &mut [0; 4]));
    assert!(echoed.is_err(), "the connection is cut");
    Ok(())
}

#[test]
fn the_configuration_in_force_is_shown() -> anyhow::Result<()> {
    let site = Site::new()?;
    let _gateway = site.start()?;
    let shown = site.control(&["config", "show"])?;
    assert_eq!(shown["mode"], "enforce");
    assert!(shown.get("limits").is_none(), "{shown:#}");
    let all = site.control(&["config", "show", "--effective"])?;
    assert_eq!(all["limits"]["replies_per_second"], 1000);
    site.control(&["mode", "monitor"])?;
    let text = site.operator(&["config", "show"]).output()?;
    let text = String::from_utf8(text.stdout)?;
    assert!(!text.contains("mode = "), "monitor is the default: {text}");
    // What is shown is a configuration, and the same one.
    let file = site.path("shown.toml");
    fs::write(&file, &text)?;
    let file = file.to_str().expect("a name");
    let again = site
        .operator(&["config", "show", "--file", file])
        .output()?;
    assert_eq!(String::from_utf8(again.stdout)?, text);
    // The mode that an operator switched to stays, unless the file says another one than before.
    site.configure(&with(with_way_to_the_server()))?;
    assert_eq!(site.control(&["reload"])?["mode"], "monitor");
    site.configure(&Config {
        mode: "monitor",
        ..Config::default()
    })?;
    site.control(&["reload"])?;
    site.configure(&Config::default())?;
    assert_eq!(site.control(&["reload"])?["mode"], "enforce");
    Ok(())
}
