//! The gateway itself translates the way to the management server.

use std::fs;

use enforcer_tests::{
    attack::run_for,
    conntrack::{entries, flush, masquerade, rules},
    lan::{SERVER, at},
    posture::Posture,
    servers::HTTP,
    site::Site,
    wait,
};
use nix::sys::signal::{Signal, kill};

use crate::scene::{OUTSIDE, Scene, gets_out, passes};

/// Addresses that are on no interface.
const POOL: [&str; 4] = [
    "203.0.113.16",
    "203.0.113.17",
    "2001:db8:f::10",
    "2001:db8:f::11",
];

fn translate_to_pool(site: &Site) -> anyhow::Result<()> {
    rules(
        &site.lan.gateway,
        "add table inet nat
         add chain inet nat out { type nat hook postrouting priority srcnat ; }
         add rule inet nat out oifname wan0 snat ip to 203.0.113.16-203.0.113.17
         add rule inet nat out oifname wan0 snat ip6 to 2001:db8:f::10-2001:db8:f::11",
    )
}

/// Two hosts that the server sees at the same addresses get a role of their own each.
fn each_has_its_own_role(site: &Site, outside: &[&str]) -> anyhow::Result<()> {
    let scene = Scene::new(site)?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    scene.follows(good, Posture::good, ["laptop-4", "laptop-6"])?;
    scene.follows(bad, Posture::bad, ["desktop-4", "desktop-6"])?;
    assert!(passes(good) && !gets_out(bad));
    // The other way round, by connections of their own.
    scene.follows(good, Posture::bad, ["laptop-4", "laptop-6"])?;
    scene.follows(bad, Posture::good, ["desktop-4", "desktop-6"])?;
    assert!(passes(bad) && !gets_out(good));
    scene.nothing_of(outside);
    assert_eq!(scene.gateway.counted("enforcer_doubts_total", &[]), 0);
    Ok(())
}

#[test]
fn behind_a_masquerading_gateway_each_host_has_its_own_role() -> anyhow::Result<()> {
    let site = Site::new()?;
    masquerade(&site.lan.gateway, "wan0")?;
    each_has_its_own_role(&site, &OUTSIDE)
}

#[test]
fn behind_a_pool_of_addresses_each_host_has_its_own_role() -> anyhow::Result<()> {
    let site = Site::new()?;
    translate_to_pool(&site)?;
    each_has_its_own_role(&site, &POOL)
}

#[test]
fn what_was_reported_from_behind_a_pool_before_the_start_is_found_in_the_first_snapshot()
-> anyhow::Result<()> {
    let site = Site::new()?;
    translate_to_pool(&site)?;
    let Scene { remote, gateway } = Scene::new(&site)?;
    gateway.kill()?;
    let host = &site.lan.laptop;
    // By the end of the server that the configuration names, and by the one that it does not.
    for (end, name) in remote.ends().into_iter().zip(["laptop-4", "laptop-6"]) {
        let posture = Posture::good(name).without_addresses();
        assert_eq!(remote.report(host, end, &posture)?, "authorized");
    }
    let gateway = site.start()?;
    let scene = Scene { remote, gateway };
    for address in [host.v4, host.v6] {
        scene.has_role(address, "authorized");
    }
    scene.nothing_of(&POOL);
    assert!(passes(host));
    Ok(())
}

#[test]
fn behind_a_range_of_ports_each_host_has_its_own_role() -> anyhow::Result<()> {
    let site = Site::new()?;
    rules(
        &site.lan.gateway,
        "add table inet nat
         add chain inet nat out { type nat hook postrouting priority srcnat ; }
         add rule inet nat out oifname wan0 meta nfproto ipv4 meta l4proto tcp snat ip to 198.51.100.1:20000-20099
         add rule inet nat out oifname wan0 meta nfproto ipv6 meta l4proto tcp snat ip6 to [2001:db8:2::1]:20000-20099",
    )?;
    each_has_its_own_role(&site, &OUTSIDE)
}

#[test]
fn a_connection_that_is_over_before_its_decision_comes_is_still_known() -> anyhow::Result<()> {
    let site = Site::new()?;
    masquerade(&site.lan.gateway, "wan0")?;
    let scene = Scene::new(&site)?;
    let host = &site.lan.laptop;
    // The gateway learns of the server's other end by a first report.
    scene.follows(&site.lan.desktop, Posture::good, ["desktop-4", "desktop-6"])?;
    let gateway = scene.gateway.pid();
    kill(gateway, Signal::SIGSTOP)?;
    for (end, name) in scene
        .remote
        .ends()
        .into_iter()
        .zip(["laptop-4", "laptop-6"])
    {
        let posture = Posture::good(name).without_addresses();
        assert_eq!(scene.remote.report(host, end, &posture)?, "authorized");
    }
    // Nothing of them is left in the kernel when the gateway hears of the decisions.
    flush(&site.lan.gateway)?;
    kill(gateway, Signal::SIGCONT)?;
    for address in [host.v4, host.v6] {
        scene.has_role(address, "authorized");
    }
    assert!(passes(host));
    Ok(())
}

#[test]
fn a_connection_of_another_zone_of_the_table_is_found_too() -> anyhow::Result<()> {
    let site = Site::new()?;
    masquerade(&site.lan.gateway, "wan0")?;
    // The kernel finds such a connection only when it is asked with the number, or lists all of them.
    rules(
        &site.lan.gateway,
        "add table inet zones
         add chain inet zones in { type filter hook prerouting priority raw ; }
         add rule inet zones in iifname { lan0, wan0 } ct zone set 7",
    )?;
    let Scene { remote, gateway } = Scene::new(&site)?;
    let (told, listed) = (&site.lan.desktop, &site.lan.laptop);
    let [end, _] = remote.ends();
    let posture = Posture::good("desktop").without_addresses();
    remote.report(told, end, &posture)?;
    wait::until_so("the one that is told of is found", || {
        gateway.role(told.v4) == "authorized"
    });
    gateway.kill()?;
    let posture = Posture::good("laptop").without_addresses();
    remote.report(listed, end, &posture)?;
    let gateway = site.start()?;
    wait::until_so("the one that is listed is found", || {
        gateway.role(listed.v4) == "authorized"
    });
    Ok(())
}

#[test]
fn a_flood_of_connections_to_the_server_hides_nobody() -> anyhow::Result<()> {
    let site = Site::new()?;
    masquerade(&site.lan.gateway, "wan0")?;
    let scene = Scene::new(&site)?;
    let (host, other) = (&site.lan.laptop, &site.lan.desktop);
    let [end, _] = scene.remote.ends();
    // More than the kernel can hold for the gateway to read.
    kill(scene.gateway.pid(), Signal::SIGSTOP)?;
    let (server, port) = (end.ip().to_string(), end.port().to_string());
    let flood = ["-q", "-S", "--faster", "-c", "30000", "-p", &port, &server];
    run_for(other, "20", "hping3", flood)?;
    let posture = Posture::good("laptop").without_addresses();
    assert_eq!(scene.remote.report(host, end, &posture)?, "authorized");
    let listed = entries(&site.lan.gateway, other.v4)?.len();
    assert!(listed > 10_000, "{listed} connections");
    kill(scene.gateway.pid(), Signal::SIGCONT)?;
    scene.has_role(host.v4, "authorized");
    assert!(host.passes(at(SERVER, HTTP)));
    assert!(scene.gateway.is_ready());
    Ok(())
}

#[test]
fn a_restart_forgets_nobody() -> anyhow::Result<()> {
    let site = Site::new()?;
    masquerade(&site.lan.gateway, "wan0")?;
    let Scene { remote, gateway } = Scene::new(&site)?;
    let host = &site.lan.laptop;
    for (end, name) in remote.ends().into_iter().zip(["laptop-4", "laptop-6"]) {
        let posture = Posture::good(name).without_addresses();
        remote.report(host, end, &posture)?;
    }
    wait::until_so("both are found", || passes(host));
    let kept = site.path("state/translated.json");
    wait::until_so("both are kept", || {
        let kept = fs::read_to_string(&kept).unwrap_or_default();
        kept.contains("id-laptop-4") && kept.contains("id-laptop-6")
    });
    gateway.kill()?;
    flush(&site.lan.gateway)?;
    let gateway = site.start()?;
    for address in [host.v4, host.v6] {
        assert_eq!(gateway.role(address), "authorized");
    }
    assert!(passes(host));
    assert_eq!(gateway.counted("enforcer_doubts_total", &[]), 0);
    Ok(())
}

#[test]
fn whose_connection_it_was_is_not_guessed() -> anyhow::Result<()> {
    let site = Site::new()?;
    masquerade(&site.lan.gateway, "wan0")?;
    let scene = Scene::new(&site)?;
    let host = &site.lan.laptop;
    scene.follows(host, Posture::good, ["laptop-4", "laptop-6"])?;
    let Scene { remote, gateway } = scene;
    gateway.kill()?;
    let posture = Posture::good("missed").without_addresses();
    assert_eq!(
        remote.report(host, remote.ends()[0], &posture)?,
        "authorized"
    );
    flush(&site.lan.gateway)?;
    let gateway = site.start()?;
    wait::until_so("it is said that an endpoint was not found", || {
        gateway.counted("enforcer_doubts_total", &[("doubt", "untraced")]) > 0
            && gateway.has_logged("endpoint id-missed was seen at 198.51.100.1:")
    });
    for address in OUTSIDE {
        assert_eq!(gateway.role(address.parse()?), "");
    }
    Ok(())
}
