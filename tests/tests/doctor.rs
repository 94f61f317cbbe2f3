//! `enforcer doctor`: what keeps a machine from enforcing.

use std::{fs, process::Command};

use anyhow::{Context, Result};
use enforcer_tests::{
    config::Config,
    kernel,
    namespace::output,
    site::{Site, enforcer},
};
use serde_json::Value;

/// What it found, and whether nothing failed.
struct Report {
    findings: Vec<Value>,
    ok: bool,
}

impl Report {
    fn of(mut command: Command, site: &Site) -> Result<Self> {
        let done = command
            .args(["doctor", "--output", "json", "--config"])
            .arg(site.config_file())
            .arg("--socket")
            .arg(site.path("run/control.sock"))
            .output()?;
        let report: Value = serde_json::from_slice(&done.stdout)
            .with_context(|| String::from_utf8_lossy(&done.stderr).into_owned())?;
        let ok = report["ok"] == true;
        assert_eq!(done.status.code(), Some(i32::from(!ok)), "{report:#}");
        let findings = report["findings"].as_array().cloned();
        Ok(Self {
            findings: findings.unwrap_or_default(),
            ok,
        })
    }

    fn find(&self, check: &str, object: &str) -> Option<&Value> {
        let is_it = |one: &&Value| one["check"] == check && one["object"] == object;
        self.findings.iter().find(is_it)
    }

    fn state(&self, check: &str, object: &str) -> &str {
        let found = self.find(check, object);
        found
            .and_then(|one| one["state"].as_str())
            .unwrap_or("none")
    }

    fn fails(&self, check: &str, object: &str, remedy: &str) {
        let found = self.find(check, object).expect("a finding");
        assert_eq!(found["state"], "fail", "{found:#}");
        let said = found["remedy"].as_str().unwrap_or_default();
        assert!(said.contains(remedy), "{remedy}: {found:#}");
        assert!(!self.ok);
    }
}

fn doctor(site: &Site) -> Result<Report> {
    Report::of(site.lan.gateway.command(enforcer()), site)
}

fn ip(site: &Site, arguments: &str) -> Result<()> {
    let mut ip = site.lan.gateway.command("ip");
    output(ip.args(arguments.split(' '))).map(drop)
}

fn with_uplink() -> Config {
    Config {
        keys: "uplinks = [\"wan0\"]\n".to_owned(),
        ..Config::default()
    }
}

#[test]
fn a_sound_machine_is_called_sound() -> Result<()> {
    let site = Site::with(&with_uplink())?;
    let report = doctor(&site)?;
    let fails = report.findings.iter().filter(|one| one["state"] == "fail");
    assert!(report.ok, "{:#?}", fails.collect::<Vec<_>>());
    for (check, object) in [
        ("capabilities", ""),
        ("kernel", ""),
        ("interface", "lan0"),
        ("mtu", "lan0"),
        ("vlan tags", "lan0"),
        ("lro", "lan0"),
        ("offload", "lan0"),
        ("forwarding", "lan0"),
        ("inventory", "lan0"),
        ("inventory", "wan0"),
        ("gateway", ""),
    ] {
        assert_eq!(report.state(check, object), "ok", "{check} {object}");
    }
    // With a gateway it looks at that, too.
    let gateway = site.start()?;
    let report = doctor(&site)?;
    assert_eq!(report.state("gateway", "lan0"), "ok");
    assert_ne!(report.state("clock", ""), "fail");
    let certificate = site.path("state/server/server.crt").display().to_string();
    assert_eq!(report.state("certificate", &certificate), "ok");
    assert!(gateway.stop()?.success());
    // For people each check is a line.
    let mut text = site.lan.gateway.command(enforcer());
    let text = text.args(["doctor", "--config"]).arg(site.config_file());
    let text = output(text)?;
    assert!(
        text.lines()
            .any(|line| line.starts_with("ok    interface lan0: veth")),
        "{text}"
    );
    Ok(())
}

#[test]
fn what_is_wrong_has_a_remedy() -> Result<()> {
    let site = Site::new()?;
    doctor(&site)?.fails("inventory", "wan0", "`uplinks`");

    site.configure(&with_uplink())?;
    site.lan.gateway.set(&[
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/lan0/rp_filter", "0"),
        ("ipv4/conf/lan0/forwarding", "0"),
        ("ipv6/conf/lan0/forwarding", "0"),
    ])?;
    let report = doctor(&site)?;
    assert_eq!(report.state("rp_filter", "lan0"), "warn");
    assert_eq!(report.state("forwarding", "lan0"), "warn");
    assert!(report.ok);

    ip(&site, "link add bridge0 type bridge")?;
    site.configure(&Config {
        sections: "[[interface]]\nname = \"bridge0\"\nzone = \"lan\"\nhook = \"xdp\"".to_owned(),
        ..with_uplink()
    })?;
    let report = doctor(&site)?;
    assert_eq!(
        report.state("interface", "bridge0"),
        "warn",
        "it is switched off"
    );
    // Earlier ones do not say what drivers can do with XDP.
    if kernel::is_at_least((6, 3))? {
        report.fails("xdp", "bridge0", "hook = \"tc\"");
    } else {
        assert_eq!(report.state("xdp", "bridge0"), "ok", "seen when attached");
    }
    ip(&site, "link delete bridge0")?;
    let report = doctor(&site)?;
    report.fails("interface", "bridge0", "ip link");
    report.fails(
        "configuration",
        &site.config_file().display().to_string(),
        "lan0",
    );
    Ok(())
}

#[test]
fn a_broken_configuration_and_missing_rights_keep_no_other_check_from_looking() -> Result<()> {
    let site = Site::with(&with_uplink())?;
    let text = fs::read_to_string(site.config_file())?;
    let pins = format!("{:?}", site.pin_dir());
    site.write_config(&text.replace(&pins, &format!("{:?}", site.path("pins"))))?;
    let object = site.path("pins").display().to_string();
    doctor(&site)?.fails("bpffs", &object, "mount -t bpf");

    site.write_config("mode = \"enforced\"\n")?;
    let file = site.config_file().display().to_string();
    let report = doctor(&site)?;
    report.fails("configuration", &file, "config example");
    assert_eq!(report.state("kernel", ""), "ok");

    site.configure(&with_uplink())?;
    // Programs below the home of root are out of reach for others.
    let program = site.path("enforcer");
    fs::copy(enforcer(), &program)?;
    let mut command = site.lan.gateway.command("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program);
    Report::of(command, &site)?.fails("capabilities", "", "root");
    Ok(())
}
