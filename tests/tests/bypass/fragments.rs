//! Packets in pieces: the source decides, and what has no ports matches no rule by port.

use enforcer_tests::{
    attack::{run_cases, run_for, scapy},
    lan::SERVER_V6,
    site::Site,
    tap::addresses,
    wait,
};

use crate::scene::{Count, Scene};

const MALFORMED: Count = ("xdp", "drop", "malformed");
const REJECTED: Count = ("xdp", "reject", "role_denies");
const PASSED: Count = ("xdp", "pass", "rule_allows");
const DROPPED: Count = ("xdp", "drop", "role_denies");

#[test]
fn a_host_is_stopped_in_pieces_too() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    // The first of each is answered, the others have nothing to answer to.
    scene.stops(&[(REJECTED, 4), (DROPPED, 12)], || {
        scapy(
            scene.attacker(),
            "
text = Raw(b'smuggled' * 32)
for protocol in [UDP(dport=7), ICMP()]:
    send(*[frame() / part for part in fragment(IP(dst=SERVER) / protocol / text, fragsize=72)])
header = IPv6(dst=SERVER6) / IPv6ExtHdrFragment()
for protocol in [UDP(dport=7), ICMPv6EchoRequest()]:
    send(*[frame() / part for part in fragment6(header / protocol / text, 120)])
",
        )
        .map(drop)
    })?;
    scene.stops(&[(DROPPED, 10)], || {
        let bits = [
            "-f", "--udp", "-p", "7", "-c", "10", "-i", "u1000", "-d", "64", "-E",
        ];
        let data = site.path("data");
        std::fs::write(&data, "smuggled".repeat(8))?;
        let data = data.to_string_lossy();
        let arguments = bits.into_iter().chain([&*data, "198.51.100.80"]);
        run_for(scene.attacker(), "5", "hping3", arguments)
    })
}

#[test]
fn a_rule_by_port_opens_nothing_that_has_no_port() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(MALFORMED, 4)], || {
        scapy(
            scene.attacker(),
            "
def to(**rest):
    return IP(dst=REMEDIATION, proto=6, id=7, **rest)

segment = bytes(IP(src=V4, dst=REMEDIATION) / TCP(sport=9, dport=80, flags='PA') / Raw(b'smuggled' * 8))[20:]
# Too short for its ports and flags.
send(frame() / to(flags='MF') / Raw(segment[:8]),
     frame() / to(flags='MF') / Raw(segment[:16]))
# Over the flags of another.
send(frame() / to(flags='MF', frag=1) / Raw(segment[8:16]),
     frame() / to(frag=2) / Raw(segment[16:]))
",
        )
        .map(drop)
    })?;
    // The first has the port, the others have none; of the last packet none has it.
    let passed = scene.counted(PASSED);
    scene.arrived();
    let before = [DROPPED, REJECTED].map(|as_| scene.counted(as_));
    scapy(
        scene.attacker(),
        "
for protocol, n in [(TCP(sport=9, dport=80, flags='PA'), 8), (UDP(sport=9, dport=80), 9)]:
    packet = IP(dst=REMEDIATION, id=n) / protocol / Raw(b'smuggled' * 32)
    send(*[frame() / part for part in fragment(packet, fragsize=80)])
",
    )?;
    wait::until_so("all of them are judged", || {
        let now = [DROPPED, REJECTED].map(|as_| scene.counted(as_));
        now == [before[0] + 6, before[1] + 1]
    });
    assert_eq!(scene.counted(PASSED), passed + 1);
    let arrived = scene.arrived();
    let bad = scene.attacker();
    let of_it = arrived
        .iter()
        .filter(|frame| addresses(frame).is_some_and(|(from, _)| from == bad.v4));
    assert_eq!(of_it.count(), 1, "which nobody can put together");
    Ok(())
}

#[test]
fn more_than_a_packet_can_hold_is_malformed() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(MALFORMED, 4)], || {
        scapy(
            scene.attacker(),
            "
long = Raw(b'smuggled' * 100)
send(frame() / IP(dst=SERVER, proto=1, frag=8189) / long,
     frame() / IP(dst=SERVER, proto=17, frag=8189, flags='MF') / long,
     frame() / IPv6(dst=SERVER6) / IPv6ExtHdrFragment(nh=58, offset=8189) / long,
     frame() / IPv6(dst=SERVER6) / IPv6ExtHdrFragment(nh=17, offset=1, m=1) / Raw(b'smuggled1'))
",
        )
        .map(drop)
    })
}

#[test]
fn a_collection_of_tricks_with_fragments_fails() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(DROPPED, 100), (REJECTED, 10), (MALFORMED, 10)], || {
        let target = ["-p", "eth0", SERVER_V6];
        run_cases(scene.attacker(), "atk6-fragmentation6", &target, 1..=40)
    })
}
