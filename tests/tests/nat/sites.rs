//! Sites with the same private addresses, which report to one server through one gateway.

use enforcer_tests::{
    config::Config,
    conntrack::rules,
    host::Host,
    namespace::{Namespace, output},
    posture::Posture,
    site::Site,
    wait,
};

use crate::scene::{OUTSIDE, Scene, gets_out, ip, passes, place};

/// Which packets belong to which site: connections of the second one have a table of their own on the near side, and
/// answers find the way back to it by a mark.
const SITES: &str = "add table inet sites
    add chain inet sites first { type filter hook prerouting priority raw ; }
    add rule inet sites first iifname lan1 ct original zone set 1
    add chain inet sites second { type filter hook prerouting priority mangle ; }
    add rule inet sites second iifname lan1 ct mark set 1
    add rule inet sites second iifname wan0 meta mark set ct mark
    add chain inet sites out { type nat hook postrouting priority srcnat ; }
    add rule inet sites out oifname wan0 masquerade";

/// The second site: one host, with the addresses of the laptop.
fn second_site(site: &Site) -> anyhow::Result<Host> {
    let gateway = &site.lan.gateway;
    let twin = place(site, "twin")?;
    let cable = format!(
        "link add lan1 type veth peer name eth0 netns {}",
        twin.name()
    );
    ip(gateway, &cable)?;
    for line in [
        "link set lan1 address 02:00:00:00:00:02 up",
        "addr add 192.0.2.1/24 dev lan1 noprefixroute",
        "addr add 2001:db8:1::1/64 dev lan1 nodad noprefixroute",
        "route add 192.0.2.0/24 dev lan1 table 101",
        "route add 2001:db8:1::/64 dev lan1 table 101",
        "rule add fwmark 1 lookup 101",
        "-6 rule add fwmark 1 lookup 101",
    ] {
        ip(gateway, line)?;
    }
    for line in [
        "link set lo up",
        "link set eth0 address 02:00:00:00:00:31 up",
        "addr add 192.0.2.11/24 dev eth0",
        "addr add 2001:db8:1::11/64 dev eth0 nodad",
        "route add 0.0.0.0/0 via 192.0.2.1",
        "route add ::/0 via 2001:db8:1::1",
    ] {
        ip(&twin, line)?;
    }
    gateway.set(&[
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/lan0/rp_filter", "0"),
        ("ipv4/conf/lan1/rp_filter", "0"),
        ("ipv4/conf/wan0/rp_filter", "0"),
    ])?;
    rules(gateway, SITES)?;
    take_frames(&twin)?;
    let Host { v4, v6, .. } = site.lan.laptop;
    Ok(Host {
        namespace: twin,
        v4,
        v6,
        mac: "02:00:00:00:00:31".to_owned(),
    })
}

/// Frames that XDP sends back arrive only where the other end of the cable polls.
fn take_frames(twin: &Namespace) -> anyhow::Result<()> {
    let mut ethtool = twin.command("ethtool");
    output(ethtool.args(["-K", "eth0", "gro", "on"])).map(drop)
}

fn two_zones() -> Config {
    Config {
        sections: "\n[[interface]]\nname = \"lan1\"\nzone = \"annex\"\n".to_owned(),
        ..Config::default()
    }
}

/// The role of an address in a zone.
fn role_in(site: &Site, zone: &str, address: std::net::IpAddr) -> Option<String> {
    let address = address.to_string();
    let words = ["hosts", "--find", &address, "--zone", zone];
    let list = site.control(&words).ok()?;
    let mut hosts = list["hosts"].as_array()?.iter();
    let host = hosts.find(|host| host["address"] == address)?;
    host["role"].as_str().map(ToOwned::to_owned)
}

#[test]
fn zones_keep_sites_with_the_same_addresses_apart() -> anyhow::Result<()> {
    let site = Site::new()?;
    let twin = second_site(&site)?;
    let scene = Scene::with(&site, two_zones())?;
    let here = &site.lan.laptop;
    let tokens = [
        scene.remote.agents_of("lan")?,
        scene.remote.agents_of("annex")?,
    ];
    let places = [("lan", here), ("annex", &twin)];
    for (round, roles) in [["authorized", "quarantine"], ["quarantine", "authorized"]]
        .into_iter()
        .enumerate()
    {
        for (at, (zone, host)) in places.into_iter().enumerate() {
            let names = [["here-4", "here-6"], ["there-4", "there-6"]][at];
            for (end, name) in scene.remote.ends().into_iter().zip(names) {
                let posture = match roles[at] {
                    "authorized" => Posture::good(name),
                    _ => Posture::bad(name),
                };
                let posture = posture.without_addresses();
                let role = scene.remote.report_with(&tokens[at], host, end, &posture)?;
                assert_eq!(role, roles[at]);
            }
            for address in [host.v4, host.v6] {
                wait::until_so(
                    format!("{address} in {zone} is {}, round {round}", roles[at]),
                    || role_in(&site, zone, address).as_deref() == Some(roles[at]),
                );
            }
        }
        let [good, bad] = if round == 0 {
            [here, &twin]
        } else {
            [&twin, here]
        };
        assert!(passes(good), "{round}");
        assert!(!gets_out(bad), "{round}");
    }
    scene.nothing_of(&OUTSIDE);
    Ok(())
}

#[test]
fn a_token_of_another_zone_than_the_host_is_in_decides_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    rules(
        &site.lan.gateway,
        "add table inet nat
         add chain inet nat out { type nat hook postrouting priority srcnat ; }
         add rule inet nat out oifname wan0 masquerade",
    )?;
    ip(
        &site.lan.gateway,
        "link add lan1 type veth peer name lan1-end",
    )?;
    ip(&site.lan.gateway, "link set lan1 up")?;
    let scene = Scene::with(&site, two_zones())?;
    let host = &site.lan.desktop;
    let token = scene.remote.agents_of("annex")?;
    for (end, name) in scene.remote.ends().into_iter().zip(["stray-4", "stray-6"]) {
        let posture = Posture::good(name).without_addresses();
        scene.remote.report_with(&token, host, end, &posture)?;
    }
    let doubt = [("doubt", "other_zone")];
    wait::until_so("both are doubted", || {
        scene.gateway.counted("enforcer_doubts_total", &doubt) >= 2
    });
    assert!(
        scene
            .gateway
            .has_logged("has a token of the zone `annex`, but it reports from 192.0.2.12")
    );
    for address in [host.v4, host.v6] {
        assert_ne!(
            role_in(&site, "lan", address).as_deref(),
            Some("authorized")
        );
        assert_eq!(role_in(&site, "annex", address), None);
    }
    assert!(!gets_out(host));
    Ok(())
}
