//! Management servers that are slow, silent or say what cannot be.

use std::net::{IpAddr, Ipv4Addr};

use enforcer_protocol::decision::Message;
use enforcer_tests::{
    config::Config,
    gateway::Gateway,
    host::{ANSWERING, SILENCE},
    lan::{SERVER, at},
    odd_management::{Manner, OddManagement},
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use serde_json::Value;

const PORT: u16 = 9443;

/// A site whose gateway follows an odd server, and the server.
fn with_odd(lease: &'static str) -> anyhow::Result<(Site, OddManagement)> {
    let site = Site::new()?;
    let server = OddManagement::start(&site, PORT)?;
    site.configure(&Config {
        lease,
        servers: server.keys(&site)?,
        ..Config::default()
    })?;
    Ok((site, server))
}

fn other(number: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, number).into()
}

/// The laptop and forty others.
fn many(site: &Site) -> Vec<(IpAddr, &'static str)> {
    let others = (100..140).map(|number| (other(number), "denied"));
    others.chain([(site.lan.laptop.v4, "authorized")]).collect()
}

fn source(site: &Site) -> Value {
    let status = site.control(&["status"]).unwrap_or_default();
    status["sources"][0].clone()
}

fn decided(gateway: &Gateway<'_>) -> u64 {
    gateway.counted("enforcer_source_decisions", &[("source", "management")])
}

fn error(site: &Site) -> String {
    source(site)["last_error"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn half_a_snapshot_changes_nothing() -> anyhow::Result<()> {
    let (site, server) = with_odd("180s")?;
    server.decide(many(&site));
    let gateway = site.start()?;
    assert_eq!(decided(&gateway), 41);
    server.set_manner(Manner::Broken);
    server.decide([(site.lan.desktop.v4, "authorized"), (other(100), "denied")]);
    server.hang_up();
    // `status` says so between two attempts alone.
    wait::until_so("it is said", || {
        gateway.has_logged("ended the decision stream")
    });
    assert_eq!(decided(&gateway), 41);
    assert!(site.lan.laptop.passes(at(SERVER, HTTP)));
    server.set_manner(Manner::Good);
    server.decide(many(&site));
    wait::until_so("it is in step again", || error(&site).is_empty());
    assert!(gateway.is_ready());
    Ok(())
}

#[test]
fn an_older_revision_is_refused() -> anyhow::Result<()> {
    let (site, server) = with_odd("180s")?;
    server.set_revision(50);
    server.decide(many(&site));
    let gateway = site.start()?;
    server.set_revision(10);
    server.decide([(site.lan.laptop.v4, "denied")]);
    server.hang_up();
    wait::until_so("it is said", || {
        error(&site).contains("offers revision 11, but revision 51 is held")
    });
    assert_eq!(gateway.role(site.lan.laptop.v4), "authorized");
    assert!(site.lan.laptop.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn a_snapshot_that_shrinks_much_counts_when_it_is_said_twice() -> anyhow::Result<()> {
    let (site, server) = with_odd("180s")?;
    server.decide(many(&site));
    let gateway = site.start()?;
    // As a server that has lost its database for a moment.
    server.decide([]);
    let told = server.told();
    server.hang_up();
    wait::until_so("it is held", || {
        server.told() > told && source(&site)["held_back"] == 1
    });
    server.decide(many(&site));
    wait::until_so("all is well again", || {
        gateway.is_ready() && server.told() >= told + 2
    });
    assert_eq!(decided(&gateway), 41);
    assert!(site.lan.laptop.passes(at(SERVER, HTTP)));

    // And as one that means it.
    server.decide([(site.lan.laptop.v4, "authorized")]);
    server.hang_up();
    wait::until_so("it was held", || source(&site)["held_back"] == 2);
    assert!(gateway.has_logged("held, and asked for again"));
    assert_eq!(
        gateway.counted(
            "enforcer_source_held_back_total",
            &[("source", "management")]
        ),
        2
    );
    wait::until_so("it has said so twice", || decided(&gateway) == 1);
    wait::until_so("all is well again", || gateway.is_ready());
    assert!(site.lan.laptop.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn what_was_left_by_an_earlier_process_is_guarded_too() -> anyhow::Result<()> {
    let (site, server) = with_odd("180s")?;
    server.decide(many(&site));
    let gateway = site.start()?;
    gateway.kill()?;
    server.decide([]);
    let gateway = Gateway::launch(&site)?;
    wait::until_so("it is held", || source(&site)["held_back"] == 1);
    server.decide(many(&site));
    wait::until_so("it is in step", || gateway.is_ready());
    assert_eq!(decided(&gateway), 41);
    assert!(site.lan.laptop.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn a_mass_of_withdrawals_is_asked_for_again() -> anyhow::Result<()> {
    let (site, server) = with_odd("180s")?;
    let all = many(&site);
    server.decide(all.clone());
    let gateway = site.start()?;
    let told = server.told();
    server.withdraw(all.iter().map(|(address, _)| *address));
    wait::until_so("it is noticed", || {
        gateway.has_logged("from too many") || gateway.has_logged("of too many endpoints at once")
    });
    server.decide(all);
    wait::until_so("everything is asked for", || server.told() > told);
    wait::until_so("all is well again", || {
        gateway.is_ready() && decided(&gateway) == 41
    });
    assert!(site.lan.laptop.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn a_half_open_connection_ends_with_the_lease_at_the_latest() -> anyhow::Result<()> {
    let (site, server) = with_odd("3s")?;
    server.decide(many(&site));
    let gateway = site.start()?;
    let laptop = &site.lan.laptop;
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    // The connections stay, and nothing comes over them any more.
    server.set_manner(Manner::Mute);
    assert!(laptop.echoes(at(SERVER, ECHO), ANSWERING));
    wait::until_so("the lease is over", || {
        !laptop.echoes(at(SERVER, ECHO), SILENCE)
    });
    assert!(!gateway.is_ready());
    server.set_manner(Manner::Good);
    wait::until_so("it passes again", || laptop.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn a_slow_server_keeps_nobody_waiting_but_those_it_is_asked_about() -> anyhow::Result<()> {
    let (site, server) = with_odd("180s")?;
    server.decide([(site.lan.laptop.v4, "authorized")]);
    let gateway = site.start()?;
    server.set_manner(Manner::Slow);
    let (known, stranger) = (&site.lan.laptop, &site.lan.desktop);
    assert!(!stranger.passes(at(SERVER, HTTP)));
    for _ in 0..8 {
        assert!(known.echoes(at(SERVER, ECHO), ANSWERING));
    }
    // What is decided comes by the stream all the same.
    let address = stranger.v4;
    server.decide([(site.lan.laptop.v4, "authorized"), (address, "authorized")]);
    server.hang_up();
    wait::until_so("it passes", || stranger.passes(at(SERVER, HTTP)));
    assert!(
        gateway.counted("enforcer_queries_total", &[("result", "failed")]) > 0
            || gateway.counted("enforcer_pending_hosts", &[]) > 0
    );
    Ok(())
}

#[test]
fn with_two_servers_a_lost_one_is_replaced_within_the_lease() -> anyhow::Result<()> {
    let site = Site::new()?;
    let preferred = OddManagement::start(&site, PORT)?;
    let stand_by = OddManagement::start(&site, PORT + 1)?;
    let servers = [&preferred, &stand_by].map(|server| server.keys(&site));
    let sections = servers.into_iter().map(|keys| {
        let keys = keys?;
        Ok(format!("[[management.server]]\n{keys}"))
    });
    let sections: anyhow::Result<Vec<String>> = sections.collect();
    site.configure(&Config {
        lease: "8s",
        servers: sections?.join("\n"),
        ..Config::default()
    })?;
    let (laptop, desktop) = (&site.lan.laptop, &site.lan.desktop);
    preferred.set_revision(900);
    let both = [(laptop.v4, "authorized"), (desktop.v4, "denied")];
    preferred.decide(both);
    stand_by.decide(both);
    let gateway = site.start()?;
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    preferred.set_manner(Manner::Mute);
    wait::until_so("the other one is followed", || {
        assert!(
            laptop.echoes(at(SERVER, ECHO), ANSWERING),
            "within the lease"
        );
        source(&site)["at"] == format!("https://127.0.0.1:{}/", PORT + 1)
            && source(&site)["revision"] == 1
    });
    assert_eq!(decided(&gateway), 2, "none lost, none doubled");
    // What only the one that stands in says counts.
    stand_by.decide([(laptop.v4, "authorized"), (desktop.v4, "authorized")]);
    stand_by.hang_up();
    wait::until_so("it is heard", || desktop.passes(at(SERVER, HTTP)));

    preferred.set_manner(Manner::Good);
    wait::until_so("the preferred one is followed again", || {
        source(&site)["revision"] == 901
    });
    wait::until_so("and counts", || gateway.role(desktop.v4) == "denied");
    assert_eq!(decided(&gateway), 2);
    assert!(laptop.passes(at(SERVER, HTTP)));
    let change = Message::Heartbeat { revision: 901 };
    preferred.say(&change);
    assert!(gateway.is_ready());
    Ok(())
}
