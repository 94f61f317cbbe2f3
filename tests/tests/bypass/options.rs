//! IP options, routing headers, and lengths that lie.

use enforcer_tests::{
    attack::{run_for, scapy},
    site::Site,
};

use crate::scene::{Count, Scene};

const MALFORMED: Count = ("xdp", "drop", "malformed");
const REJECTED: Count = ("xdp", "reject", "role_denies");
const REDIRECTED: Count = ("xdp", "redirect", "role_denies");

/// A kernel that sends on what names further stations.
const ROUTES_AS_TOLD: [(&str, &str); 6] = [
    ("ipv4/conf/all/accept_source_route", "1"),
    ("ipv4/conf/lan0/accept_source_route", "1"),
    ("ipv6/conf/all/accept_source_route", "1"),
    ("ipv6/conf/lan0/accept_source_route", "1"),
    ("ipv6/conf/all/seg6_enabled", "1"),
    ("ipv6/conf/lan0/seg6_enabled", "1"),
];

#[test]
fn what_everybody_reaches_is_no_station_on_the_way_elsewhere() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    site.lan.gateway.set(&ROUTES_AS_TOLD)?;
    let by_rule = |verdict| ("xdp", verdict, "rule_denies");
    scene.stops(&[(by_rule("reject"), 8)], || {
        scapy(
            scene.attacker(),
            "
for option in IPOption_LSRR, IPOption_SSRR:
    via = IP(dst=GATEWAY, options=[option(routers=[SERVER])])
    send(frame() / via / UDP(sport=9, dport=53) / MARK,
         frame() / via / TCP(sport=9, dport=8480, flags='S') / MARK,
         frame() / IP(dst=REMEDIATION, options=[option(routers=[SERVER])])
             / TCP(sport=9, dport=80, flags='S') / MARK)
segments = IPv6ExtHdrSegmentRouting(addresses=[SERVER6, GATEWAY6], segleft=1, lastentry=1)
send(frame() / IPv6(dst=GATEWAY6) / segments / UDP(sport=9, dport=53) / MARK,
     frame() / IPv6(dst=GATEWAY6) / IPv6ExtHdrRouting(addresses=[SERVER6]) / UDP(dport=53) / MARK)
",
        )
        .map(drop)
    })
}
