//! Every interface that forwards is judged, or named.

use enforcer_tests::{config::Config, gateway::Gateway, namespace::output, site::Site, wait};
use serde_json::Value;

fn ip(site: &Site, arguments: &str) -> anyhow::Result<()> {
    let mut ip = site.lan.gateway.command("ip");
    output(ip.args(arguments.split(' '))).map(drop)
}

/// What the status says of an interface that forwards.
fn passage(site: &Site, interface: &str) -> Option<Value> {
    let status = site.control(&["status"]).ok()?;
    let passages = status["passages"].as_array()?;
    let mut passages = passages.iter();
    passages.find(|one| one["interface"] == interface).cloned()
}

fn cover(site: &Site, interface: &str) -> Option<String> {
    let passage = passage(site, interface)?;
    passage["cover"].as_str().map(ToOwned::to_owned)
}

fn becomes(site: &Site, interface: &str, wanted: Option<&str>) {
    wait::until_so(format!("{interface} is {wanted:?}"), || {
        cover(site, interface).as_deref() == wanted
    });
}

fn is_counted(gateway: &Gateway, interface: &str, value: u8) -> bool {
    let line = format!("enforcer_interface_covered{{interface=\"{interface}\"}} {value}");
    let answer = gateway.get("/metrics");
    answer.text().lines().any(|found| found == line)
}

#[test]
fn what_is_not_covered_is_named_with_the_remedy() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    becomes(&site, "wan0", Some("uncovered"));
    assert_eq!(cover(&site, "lan0").as_deref(), Some("judged"));
    assert!(is_counted(&gateway, "wan0", 0) && is_counted(&gateway, "lan0", 1));
    let wan = passage(&site, "wan0").expect("an interface");
    assert_eq!((&wan["v4"], &wan["v6"]), (&true.into(), &true.into()));
    let remedy = wan["remedy"].as_str().unwrap_or_default();
    for word in [
        "[[interface]]",
        "`uplinks`",
        "net.ipv4.conf.wan0.forwarding=0",
    ] {
        assert!(remedy.contains(word), "{word}: {remedy}");
    }
    assert!(gateway.has_logged("UNCOVERED"));
    assert!(gateway.stop()?.success());
    site.configure(&Config {
        keys: "uplinks = [\"wan0\"]\n".to_owned(),
        ..Config::default()
    })?;
    let gateway = site.start()?;
    becomes(&site, "wan0", Some("uplink"));
    assert!(is_counted(&gateway, "wan0", 1));
    Ok(())
}

#[test]
fn interfaces_that_come_later_are_noticed() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        keys: "uplinks = [\"wan0\"]\n".to_owned(),
        ..Config::default()
    })?;
    let _gateway = site.start()?;
    becomes(&site, "wan0", Some("uplink"));
    ip(&site, "link add back0 type veth peer name back1")?;
    ip(&site, "link set back0 up")?;
    becomes(&site, "back0", Some("uncovered"));
    // One family is enough to be a way.
    site.lan
        .gateway
        .set(&[("ipv4/conf/back0/forwarding", "0")])?;
    wait::until_so("IPv4 is off", || {
        passage(&site, "back0").is_some_and(|one| one["v4"] == false)
    });
    assert_eq!(cover(&site, "back0").as_deref(), Some("uncovered"));
    site.lan
        .gateway
        .set(&[("ipv6/conf/back0/forwarding", "0")])?;
    becomes(&site, "back0", None);
    // What stands on an interface that is judged goes through its programs.
    ip(&site, "link add link lan0 name over0 type macvlan")?;
    ip(&site, "link set over0 up")?;
    becomes(&site, "over0", Some("above"));
    ip(&site, "link delete over0")?;
    becomes(&site, "over0", None);
    Ok(())
}
