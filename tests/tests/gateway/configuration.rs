//! Configurations that are refused before anything is touched.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use enforcer_tests::{
    config::Config,
    host::ANSWERING,
    lan::{GATEWAY, at},
    namespace::output,
    site::{Site, enforcer},
    wait,
};

/// The gateway does not start, says all of these words, and has touched nothing.
fn is_refused(site: &Site, words: &[&str]) -> anyhow::Result<()> {
    let said = site.refused()?;
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!site.has_xdp()?, "{said}");
    let status = site.operator(&["status"]).output()?;
    assert!(!status.status.success(), "{said}");
    Ok(())
}

#[test]
fn what_is_wrong_is_named_with_its_remedy() -> anyhow::Result<()> {
    let site = Site::new()?;
    let keys = |keys: &str| Config {
        keys: keys.to_owned(),
        ..Config::default()
    };
    let sections = |sections: &str| Config {
        sections: sections.to_owned(),
        ..Config::default()
    };
    let cases: [(Config, &[&str]); 6] = [
        (
            keys("on_stopp = \"keep\"\n"),
            &[
                "enforcer.toml:6:1: ",
                "`on_stopp`",
                "did you mean `on_stop`?",
            ],
        ),
        (
            keys("colour = \"red\"\n"),
            &["unknown key `colour`", "`mode`"],
        ),
        (
            sections("[[interface]]\nname = \"lan9\"\nzone = \"lan\""),
            &["no interface `lan9`", "`lan0`"],
        ),
        (
            sections("[[scope]]\nprefix = \"192.0.2.0/24\"\naction = \"outside\""),
            &[
                "the scope 192.0.2.0/24 is there twice",
                "the one in line 11",
            ],
        ),
        (
            sections("[[role.quarantin.rule]]\nto = [\"198.51.100.9\"]"),
            &["there is no role `quarantin`", "did you mean `quarantine`?"],
        ),
        (
            keys("operators = [\"192.0.2.300\"]\n"),
            &["`192.0.2.300` is no prefix"],
        ),
    ];
    for (config, words) in cases {
        site.configure(&config)?;
        is_refused(&site, words)?;
    }
    Ok(())
}

#[test]
fn a_token_that_others_can_read_is_refused() -> anyhow::Result<()> {
    let site = Site::new()?;
    let token = site.path("gateway.token");
    fs::write(&token, "enf_secret")?;
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644))?;
    let text = Config::default().text(&site);
    let elsewhere = format!(
        "url = \"https://198.51.100.80:8443\"\npin = \"sha256:{}\"\ntoken_file = {token:?}\n",
        "0".repeat(64)
    );
    site.write_config(&text.replace("[management.embedded]", &elsewhere))?;
    is_refused(&site, &["can be read by every user", "chmod 600"])
}

#[test]
fn the_operators_own_session_is_not_cut() -> anyhow::Result<()> {
    let site = Site::new()?;
    let ssh = at(GATEWAY, 22);
    let listener = site.lan.gateway.enter(|| TcpListener::bind(ssh))?;
    let host = &site.lan.laptop;
    let session = host
        .namespace
        .enter(|| TcpStream::connect_timeout(&ssh, wait::patient(ANSWERING)))?;
    let _served = listener.accept()?;
    is_refused(
        &site,
        &[
            "192.0.2.11 is connected to this machine through `lan0`",
            "`operators`",
        ],
    )?;
    site.configure(&Config {
        keys: "operators = [\"192.0.2.11\"]\n".to_owned(),
        ..Config::default()
    })?;
    assert!(site.start()?.is_ready());
    drop(session);
    Ok(())
}

#[test]
fn missing_capabilities_are_named() -> anyhow::Result<()> {
    let site = Site::new()?;
    // Programs below the home of root are out of reach for others.
    let program = site.path("enforcer");
    fs::copy(enforcer(), &program)?;
    let mut run = site.lan.gateway.command("setpriv");
    run.args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["run", "--config"])
        .arg(site.config_file());
    let done = run.output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    for word in ["CAP_BPF", "CAP_NET_ADMIN", "run as root"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!site.has_xdp()?);
    Ok(())
}

#[test]
fn pins_want_a_bpf_file_system() -> anyhow::Result<()> {
    let site = Site::new()?;
    let text = Config::default().text(&site);
    let pins = format!("{:?}", site.pin_dir());
    let other = format!("{:?}", site.path("pins"));
    site.write_config(&text.replace(&pins, &other))?;
    is_refused(&site, &["is not on a BPF file system", "mount -t bpf"])
}

#[test]
fn a_check_says_the_same_and_starts_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    let mut check = site.lan.gateway.command(enforcer());
    check.args(["config", "check"]).arg(site.config_file());
    assert!(output(&mut check)?.ends_with("can be used\n"));
    site.configure(&Config {
        lease: "1s",
        ..Config::default()
    })?;
    let done = Command::new(enforcer())
        .args(["config", "check", "--offline"])
        .arg(site.config_file())
        .output()?;
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(1));
    assert!(said.contains("management.lease"), "{said}");
    assert!(!site.path("state").exists() && !site.has_xdp()?);
    Ok(())
}
