//! Chains of IPv6 extension headers (RFC 7112, RFC 7113, RFC 6980).

use enforcer_tests::{
    attack::{run_cases, scapy},
    lan::SERVER_V6,
    site::Site,
};

use crate::scene::{Count, Scene};

const MALFORMED: Count = ("xdp", "drop", "malformed");
const TOO_DEEP: Count = ("xdp", "drop", "too_deep");
const REJECTED: Count = ("xdp", "reject", "role_denies");
const ROGUE_ROUTER: Count = ("xdp", "drop", "rogue_router");

#[test]
fn what_hides_behind_a_chain_of_headers_is_found_or_dropped() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(REJECTED, 4), (TOO_DEEP, 2)], || {
        scapy(
            scene.attacker(),
            "
def chain(*headers):
    packet = IPv6(dst=SERVER6)
    for header in headers:
        packet = packet / header
    return frame() / packet / UDP(dport=7) / MARK

options, route = IPv6ExtHdrDestOpt, lambda: IPv6ExtHdrRouting(type=2, segleft=0)
send(chain(IPv6ExtHdrHopByHop(), options()), chain(options(), route(), options()),
     chain(IPv6ExtHdrHopByHop(), IPv6ExtHdrFragment(), options()),
     chain(*[options() for _ in range(8)]))
send(chain(*[options() for _ in range(9)]), chain(*[options() for _ in range(100)]))
",
        )
        .map(drop)
    })
}

#[test]
fn a_chain_that_ends_in_another_fragment_is_malformed() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(MALFORMED, 4)], || {
        scapy(
            scene.attacker(),
            "
start = frame() / IPv6(dst=SERVER6)
# The transport header is in the second fragment (RFC 7112), begins in the first, or there are fragments of fragments.
send(start / IPv6ExtHdrFragment(m=1, id=1) / IPv6ExtHdrDestOpt(nh=17),
     start / IPv6ExtHdrFragment(m=1, id=2, nh=6) / Raw(bytes(TCP(dport=80))[:16]),
     start / IPv6ExtHdrFragment(m=1, id=3, nh=60) / Raw(bytes([17, 1]) + bytes(6)),
     start / IPv6ExtHdrFragment(m=1, id=4) / IPv6ExtHdrFragment(m=1, id=5, nh=17) / Raw(b'smuggled' * 2))
",
        )
        .map(drop)
    })
}

#[test]
fn neighbour_discovery_is_neither_hidden_nor_in_pieces() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let spoofed = ("xdp", "drop", "spoofed");
    scene.stops(&[(ROGUE_ROUTER, 3), (spoofed, 2), (MALFORMED, 2)], || {
        scapy(
            scene.attacker(),
            "
options, victim = IPv6ExtHdrDestOpt, '2001:db8:1::11'
from_me = IPv6(src='fe80::ff:fe00:12', dst='ff02::1', hlim=255)
router = ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix='2001:db8:bad::', prefixlen=64)
send(frame() / from_me / options() / router,
     frame() / from_me / IPv6ExtHdrHopByHop() / options() / router,
     frame() / from_me / IPv6ExtHdrFragment() / router)
lie = ICMPv6ND_NA(tgt=victim, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC)
to_it = IPv6(src=V6, dst=GATEWAY6, hlim=255)
send(frame() / to_it / options() / lie, frame() / to_it / IPv6ExtHdrHopByHop() / options() / lie)
# RFC 6980.
send(frame() / to_it / IPv6ExtHdrFragment(m=1, id=1, nh=58) / Raw(bytes(lie)[:24]),
     frame() / from_me / IPv6ExtHdrFragment(m=1, id=2, nh=58)
         / Raw(bytes(router)[:16]))
",
        )
        .map(drop)
    })
}

#[test]
fn a_collection_of_tricks_with_headers_fails() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let expected = [(REJECTED, 40), (MALFORMED, 10), (TOO_DEEP, 4)];
    scene.stops(&expected, || {
        let target = ["eth0", SERVER_V6, "443"];
        run_cases(scene.attacker(), "atk6-firewall6", &target, 1..=39)
    })
}
