//! What becomes of hosts when something fails, as the configuration says.

use std::{fs, time::Duration};

use enforcer_tests::{
    config::Config,
    gateway::Gateway,
    host::{ANSWERING, SILENCE},
    lan::{SERVER, at},
    odd_management::{Manner, OddManagement},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait::{self, patient},
};
use nix::sys::signal::{Signal, kill};

/// Of the source of what is decided before the machine starts anew.
const LEASE: Duration = Duration::from_secs(20);

fn failing(keys: &str, lease: &'static str) -> Config {
    Config {
        lease,
        keys: keys.to_owned(),
        ..Config::default()
    }
}

#[test]
fn open_decisions_go_on_while_their_source_is_silent() -> anyhow::Result<()> {
    let site = Site::with(&failing("fail = \"open\"", "2s"))?;
    let gateway = site.start()?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    site.report(good, &Posture::good("laptop"))?;
    site.report(bad, &Posture::bad("desktop"))?;
    wait::until_so("both are decided", || {
        good.passes(at(SERVER, HTTP)) && gateway.role(bad.v4) == "quarantine"
    });
    let server = gateway.child("server").expect("the embedded server");
    kill(server, Signal::SIGSTOP)?;
    wait::until_so("the lease is over", || {
        gateway.counted("enforcer_fails_open", &[("condition", "lease_expired")]) == 1
    });
    assert!(!gateway.is_ready());
    assert!(good.echoes(at(SERVER, ECHO), ANSWERING));
    assert!(
        !bad.echoes(at(SERVER, ECHO), SILENCE),
        "what was stopped stays so"
    );
    kill(server, Signal::SIGCONT)?;
    wait::until_so("all is well again", || gateway.is_ready());
    Ok(())
}

#[test]
fn open_hosts_pass_when_nobody_answers_in_time() -> anyhow::Result<()> {
    let site = Site::new()?;
    let server = OddManagement::start(&site, 9443)?;
    site.configure(&Config {
        servers: server.keys(&site)?,
        sections: "[fail]\nno_answer = \"open\"".to_owned(),
        ..Config::default()
    })?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    server.set_manner(Manner::Slow);
    assert!(
        !host.echoes(at(SERVER, ECHO), SILENCE),
        "the answer is awaited"
    );
    wait::until_so("nobody has answered", || {
        host.echoes(at(SERVER, ECHO), SILENCE)
    });
    assert!(gateway.packets("xdp", "pass", "no_answer") > 0);
    // An answer is one: who is not known there is stopped.
    server.set_manner(Manner::Good);
    wait::until_so("it is asked about again", || {
        !host.echoes(at(SERVER, ECHO), SILENCE)
    });
    assert_eq!(gateway.role(host.v4), "unknown");
    Ok(())
}

#[test]
fn open_hosts_pass_until_the_first_snapshot() -> anyhow::Result<()> {
    let site = Site::new()?;
    let server = OddManagement::start(&site, 9443)?;
    let config = |way: &str| -> anyhow::Result<Config> {
        Ok(Config {
            servers: server.keys(&site)?,
            sections: format!("[fail]\nstartup = \"{way}\""),
            ..Config::default()
        })
    };
    server.set_manner(Manner::Mute);
    let host = &site.lan.laptop;
    site.configure(&config("open")?)?;
    let gateway = Gateway::launch(&site)?;
    wait::until_so("it is attached", || site.has_xdp().unwrap_or(false));
    wait::until_so("it passes", || host.echoes(at(SERVER, ECHO), SILENCE));
    let status = site.control(&["status"])?;
    assert_eq!(status["fails_open"][0], "startup", "{status}");
    assert!(!gateway.is_ready());
    server.set_manner(Manner::Good);
    server.hang_up();
    drop(gateway);
    // What is pinned is no start after a boot.
    let gateway = site.start()?;
    wait::until_so("nobody passes undecided", || {
        !host.echoes(at(SERVER, ECHO), SILENCE)
    });
    assert!(gateway.is_ready());
    Ok(())
}

#[test]
fn rows_that_the_kernel_has_no_memory_for_are_tried_again() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = Gateway::start_simulating(&site, "no-memory")?;
    let (old, new) = (&site.lan.desktop, &site.lan.laptop);
    site.control(&["allow", &old.v4.to_string(), "--reason", "the first"])?;
    gateway.toggle_fault()?;
    wait::until_so("it began", || gateway.has_logged("a simulated fault"));
    site.report(new, &Posture::good("laptop"))?;
    wait::until_so("it is not ready", || !gateway.is_ready());
    assert!(gateway.has_logged("Cannot allocate memory"));
    assert!(!new.passes(at(SERVER, HTTP)), "it stays unknown");
    assert!(old.echoes(at(SERVER, ECHO), ANSWERING));
    gateway.toggle_fault()?;
    wait::until_so("it passes", || new.passes(at(SERVER, HTTP)));
    wait::until_so("it is ready again", || gateway.is_ready());
    Ok(())
}

#[test]
fn where_a_full_table_fails_open_nobody_is_stopped_by_it() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        sections: "[fail]\ntable_full = \"open\"".to_owned(),
        ..Config::default()
    })?;
    let gateway = Gateway::start_simulating(&site, "table-full")?;
    let (host, stranger) = (&site.lan.laptop, &site.lan.desktop);
    assert!(!stranger.echoes(at(SERVER, ECHO), SILENCE));
    gateway.toggle_fault()?;
    wait::until_so("it began", || gateway.has_logged("a simulated fault"));
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes all the same", || {
        host.echoes(at(SERVER, ECHO), SILENCE)
    });
    assert_eq!(
        gateway.counted("enforcer_fails_open", &[("condition", "table_full")]),
        1
    );
    gateway.toggle_fault()?;
    wait::until_so("there is room", || gateway.is_ready());
    assert!(host.passes(at(SERVER, HTTP)));
    wait::until_so("strangers are stopped again", || {
        !stranger.echoes(at(SERVER, ECHO), SILENCE)
    });
    Ok(())
}

/// Sets the clock by more than a year while an exception and a decision last.
fn set_clock(condition: &str) -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = Gateway::start_simulating(&site, condition)?;
    let (decided, excepted) = (&site.lan.laptop, &site.lan.desktop);
    site.report(decided, &Posture::good("laptop"))?;
    wait::until_so("it passes", || decided.passes(at(SERVER, HTTP)));
    let address = excepted.v4.to_string();
    site.control(&["allow", &address, "--for", "10s", "--reason", "a guest"])?;
    gateway.toggle_fault()?;
    wait::until_so("it is noticed", || {
        gateway.has_logged("the wall clock was set")
    });
    assert!(decided.echoes(at(SERVER, ECHO), ANSWERING));
    assert!(excepted.echoes(at(SERVER, ECHO), ANSWERING));
    assert!(gateway.is_ready());
    // What comes meanwhile is understood by the clock of those who say it.
    wait::until_so("the exception ends in its time", || {
        !excepted.echoes(at(SERVER, ECHO), SILENCE)
    });
    assert!(decided.echoes(at(SERVER, ECHO), ANSWERING));
    Ok(())
}

#[test]
fn a_clock_that_is_set_forward_ends_nothing() -> anyhow::Result<()> {
    set_clock("clock-forward")
}

#[test]
fn a_clock_that_is_set_back_prolongs_nothing() -> anyhow::Result<()> {
    set_clock("clock-back")
}

#[test]
fn a_bpf_file_system_that_goes_away_is_missed_by_no_packet() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    site.report(good, &Posture::good("laptop"))?;
    wait::until_so("it passes", || good.passes(at(SERVER, HTTP)));
    site.unmount_bpffs(&gateway)?;
    assert!(good.echoes(at(SERVER, ECHO), ANSWERING));
    assert!(!bad.echoes(at(SERVER, ECHO), SILENCE));
    // And decisions go on being carried out.
    site.report(bad, &Posture::good("desktop"))?;
    wait::until_so("the other one passes", || bad.passes(at(SERVER, HTTP)));
    wait::until_so("it is said", || {
        gateway.has_logged("nothing is pinned any more")
    });
    assert!(!gateway.is_ready());
    drop(gateway);
    let said = site.refused()?;
    assert!(said.contains("mount -t bpf"), "{said}");
    Ok(())
}

#[test]
fn what_was_decided_last_holds_after_a_reboot() -> anyhow::Result<()> {
    let site = Site::new()?;
    let server = OddManagement::start(&site, 9443)?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    site.configure(&Config {
        keys: "startup = \"last-known\"".to_owned(),
        lease: format!("{}s", patient(LEASE).as_secs()).leak(),
        servers: server.keys(&site)?,
        ..Config::default()
    })?;
    server.decide([(good.v4, "authorized"), (bad.v4, "quarantine")]);
    let gateway = site.start()?;
    wait::until_so("it passes", || good.passes(at(SERVER, HTTP)));
    let file = site.path("state/decisions.jsonl");
    wait::until_so("it is saved", || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.contains("\"authorized\"") && text.contains("\"quarantine\"")
    });
    gateway.kill()?;
    site.reboot()?;
    server.set_manner(Manner::Mute);
    let gateway = Gateway::launch(&site)?;
    wait::until_so("it is attached", || site.has_xdp().unwrap_or(false));
    assert!(gateway.has_logged("before the machine was started is in force again"));
    assert!(good.passes(at(SERVER, HTTP)));
    wait::until_so("it is known", || gateway.role(bad.v4) == "quarantine");
    assert!(!bad.passes(at(SERVER, HTTP)));
    assert!(!gateway.is_ready(), "the server has said nothing yet");
    // Not beyond the lease.
    wait::within(2 * LEASE, || {
        (!good.echoes(at(SERVER, ECHO), SILENCE)).then_some(())
    })
    .expect("the lease is over");
    let row = gateway.host(good.v4).unwrap_or_default();
    assert_eq!(row["last_stop_reason"], "lease_expired", "{row}");
    drop(gateway);

    // Saved decisions whose leases are over, and damaged ones, are not used.
    site.reboot()?;
    let gateway = Gateway::launch(&site)?;
    wait::until_so("it is attached", || site.has_xdp().unwrap_or(false));
    assert!(!good.echoes(at(SERVER, ECHO), SILENCE));
    wait::until_so("it answers", || site.control(&["status"]).is_ok());
    assert_eq!(gateway.role(good.v4), "");
    gateway.kill()?;
    site.reboot()?;
    let text = fs::read_to_string(&file)?;
    fs::write(&file, text.replacen("quarantine", "authorized", 1) + "?")?;
    let gateway = Gateway::launch(&site)?;
    wait::until_so("it is said", || gateway.has_logged("are damaged"));
    let names = fs::read_dir(site.path("state"))?.flatten();
    let is_aside = |name: &std::ffi::OsStr| name.to_string_lossy().contains("jsonl.corrupt-");
    assert!(
        names
            .map(|entry| entry.file_name())
            .any(|name| is_aside(&name))
    );
    Ok(())
}

#[test]
fn without_being_told_to_nothing_holds_after_a_reboot() -> anyhow::Result<()> {
    let site = Site::new()?;
    let server = OddManagement::start(&site, 9443)?;
    site.configure(&Config {
        servers: server.keys(&site)?,
        ..Config::default()
    })?;
    let host = &site.lan.laptop;
    server.decide([(host.v4, "authorized")]);
    let gateway = site.start()?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    gateway.kill()?;
    site.reboot()?;
    server.set_manner(Manner::Mute);
    let gateway = Gateway::launch(&site)?;
    wait::until_so("it is attached", || site.has_xdp().unwrap_or(false));
    assert!(!host.echoes(at(SERVER, ECHO), SILENCE));
    wait::until_so("it answers", || site.control(&["status"]).is_ok());
    assert_eq!(gateway.role(host.v4), "");
    Ok(())
}
