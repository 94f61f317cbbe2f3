//! What a host had open when it was cut.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use enforcer_tests::{
    config::Config,
    conntrack::{entries, masquerade},
    gateway::Gateway,
    host::{ANSWERING, Host},
    lan::{SERVER, SERVER_V6, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use nix::sys::signal::{Signal, kill};

/// How long the gateway leaves mappings of addresses in place.
const CLOSING: Duration = Duration::from_secs(3);

/// Both hosts pass a gateway that translates addresses, and have connections open.
fn open(site: &Site) -> anyhow::Result<(Gateway<'_>, Vec<TcpStream>)> {
    masquerade(&site.lan.gateway, "wan0")?;
    let gateway = site.start()?;
    let mut open = Vec::new();
    for (host, name) in [(&site.lan.laptop, "laptop"), (&site.lan.desktop, "desktop")] {
        site.report(host, &Posture::good(name).claiming(host.v6))?;
        for server in [SERVER, SERVER_V6] {
            wait::until_so("it passes", || host.passes(at(server, HTTP)));
            open.push(host.connect(at(server, ECHO))?);
            assert!(host.echoes(at(server, ECHO), ANSWERING), "{server}");
        }
    }
    Ok((gateway, open))
}

/// Connections through the gateway that it knows of a host.
fn through(site: &Site, host: &Host) -> usize {
    let servers = [SERVER, SERVER_V6].map(|server| format!("dst={server}"));
    let mut all = entries(&site.lan.gateway, host.v4).expect("a table");
    all.extend(entries(&site.lan.gateway, host.v6).expect("a table"));
    let is_through = |line: &&String| servers.iter().any(|server| line.contains(server));
    all.iter().filter(is_through).count()
}

#[test]
fn a_host_that_is_cut_keeps_its_mappings_for_a_while_and_then_loses_them() -> anyhow::Result<()> {
    let site = Site::new()?;
    let (gateway, _open) = open(&site)?;
    let (cut, other) = (&site.lan.laptop, &site.lan.desktop);
    assert!(through(&site, cut) >= 4 && through(&site, other) >= 4);
    let start = Instant::now();
    site.report(cut, &Posture::bad("laptop").claiming(cut.v6))?;
    wait::until_so("its connections are forgotten", || through(&site, cut) == 0);
    assert!(start.elapsed() >= CLOSING, "{:?}", start.elapsed());
    assert!(through(&site, other) >= 4, "and those of no other host");
    assert!(gateway.counted("enforcer_connections_forgotten_total", &[]) >= 4);
    assert!(gateway.has_logged("connections forgotten"));
    assert!(site.lan.desktop.echoes(at(SERVER, ECHO), ANSWERING));
    Ok(())
}

#[test]
fn a_gateway_that_is_killed_meanwhile_goes_on_with_it_when_it_is_back() -> anyhow::Result<()> {
    let site = Site::new()?;
    let (gateway, _open) = open(&site)?;
    let (cut, other) = (&site.lan.laptop, &site.lan.desktop);
    assert_eq!(
        site.report(cut, &Posture::bad("laptop").claiming(cut.v6))?,
        "quarantine"
    );
    wait::until_so("it is in quarantine", || {
        [cut.v4, cut.v6].map(|address| gateway.role(address)) == ["quarantine", "quarantine"]
    });
    gateway.kill()?;
    assert!(through(&site, cut) >= 4);
    let gateway = site.start()?;
    wait::until_so("its connections are forgotten", || through(&site, cut) == 0);
    assert!(through(&site, other) >= 4, "and those of no other host");
    wait::until_so("it is told of the portal as ever", || {
        cut.get(at(SERVER, HTTP)).leads_to().is_some()
    });
    assert_eq!(gateway.role(cut.v4), "quarantine");
    Ok(())
}

#[test]
fn a_host_that_is_let_in_again_in_time_loses_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    let (gateway, _open) = open(&site)?;
    let (back, cut) = (&site.lan.laptop, &site.lan.desktop);
    let role = |host: &Host, role: &str| {
        wait::until_so(role, || gateway.role(host.v4) == role);
    };
    site.report(back, &Posture::bad("laptop").claiming(back.v6))?;
    role(back, "quarantine");
    site.report(back, &Posture::good("laptop").claiming(back.v6))?;
    role(back, "authorized");
    // Whoever is cut later is through with closing later.
    site.report(cut, &Posture::bad("desktop").claiming(cut.v6))?;
    wait::until_so("the other one's are forgotten", || through(&site, cut) == 0);
    assert!(through(&site, back) >= 4);
    Ok(())
}

#[test]
fn the_end_of_a_lease_and_the_switch_to_enforcement_cut_as_well() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        lease: "3s",
        ..Config::default()
    })?;
    let (gateway, _open) = open(&site)?;
    let (first, second) = (&site.lan.laptop, &site.lan.desktop);
    // In monitor mode nobody is cut.
    site.control(&["mode", "monitor"])?;
    site.report(first, &Posture::bad("laptop").claiming(first.v6))?;
    wait::until_so("it would be cut", || gateway.role(first.v4) == "quarantine");
    assert!(through(&site, first) >= 4);
    site.control(&["mode", "enforce"])?;
    wait::until_so("it is", || through(&site, first) == 0);
    assert!(through(&site, second) >= 4);
    // The management server falls silent, and with it goes what it decided.
    let server = gateway.child("server").expect("a management server");
    kill(server, Signal::SIGSTOP)?;
    wait::until_so("so is the other one", || through(&site, second) == 0);
    kill(server, Signal::SIGCONT)?;
    Ok(())
}
