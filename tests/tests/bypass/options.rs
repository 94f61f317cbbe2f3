//! IP options, routing headers, and lengths that lie.

use enforcer_tests::{
    attack::{run, scapy},
    site::Site,
};

use crate::scene::{Count, Scene};

const MALFORMED: Count = ("xdp", "drop", "malformed");

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

#[test]
fn lengths_that_lie_are_malformed() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(MALFORMED, 16)], || {
        scapy(
            scene.attacker(),
            "
def lie(packet, at, *with_these):
    told = bytearray(bytes(frame() / packet))
    told[14 + at:14 + at + len(with_these)] = bytes(with_these)
    return Raw(bytes(told))

v4, v6 = IP(dst=SERVER) / UDP(dport=7) / MARK, IPv6(dst=SERVER6) / UDP(dport=7) / MARK
# Header lengths and versions.
send(lie(v4, 0, 0x44), lie(v4, 0, 0x4f), lie(v4, 0, 0x65), lie(v4, 0, 0x05), lie(v6, 0, 0x45))
# Total and payload lengths: longer than the frame, shorter than the headers, nothing.
send(lie(v4, 2, 0xff, 0xff), lie(v4, 2, 0, 10), lie(v4, 2, 0, 0), lie(v4, 2, 0, 24),
     lie(v6, 4, 0xff, 0xff), lie(v6, 4, 0, 4), lie(v6, 4, 0, 0))
# TCP headers that begin before their end, or end behind the packet.
tcp = IP(dst=SERVER) / TCP(dport=443, flags='S') / MARK
send(lie(tcp, 32, 0x10), lie(tcp, 32, 0xf0))
# One family dressed up as the other.
send(frame(type=0x0800) / v6, frame(type=0x86dd) / v4)
",
        )
        .map(drop)
    })
}

#[test]
fn options_and_what_is_behind_the_packet_change_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let by_rule = ("xdp", "reject", "rule_denies");
    let denied_at_large = ("xdp", "reject", "role_denies");
    scene.stops(&[(by_rule, 4), (denied_at_large, 2)], || {
        scapy(
            scene.attacker(),
            "
for option in IPOption_RR(), IPOption_Timestamp(), IPOption_Router_Alert(), IPOption_Security():
    send(frame() / IP(dst=SERVER, options=[option]) / UDP(dport=7) / MARK)
# A second packet behind the end of the first, and a UDP length that reaches into it.
inner = IP(src='192.0.2.11', dst=SERVER) / UDP(dport=7) / MARK
send(frame() / IP(dst=SERVER, len=28) / UDP(dport=7, len=8) / inner,
     frame() / IP(dst=SERVER, len=28) / UDP(dport=7, len=64) / inner)
",
        )
        .map(drop)
    })?;
    // Each ends in some trick with flags or options of TCP.
    scene.stops(&[(("xdp", "reject", "role_denies"), 60)], || {
        let ports = [
            "-n",
            "-Pn",
            "--disable-arp-ping",
            "-T5",
            "--max-retries",
            "0",
            "-p",
            "1-79",
        ];
        for kind in ["-sS", "-sA", "-sF"] {
            let scan = ports.into_iter().chain([kind, "198.51.100.80"]);
            let told = run(scene.attacker(), "nmap", scan)?;
            assert!(!told.contains(" open"), "{told}");
        }
        Ok(())
    })
}
