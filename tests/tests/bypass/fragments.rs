//! Packets in pieces: the source decides, and what has no ports matches no rule by port.

use enforcer_tests::{
    attack::{run, run_for, scapy},
    lan::REMEDIATION,
    site::Site,
};

use crate::scene::{Count, Scene};

const MALFORMED: Count = ("xdp", "drop", "malformed");
const REJECTED: Count = ("xdp", "reject", "role_denies");
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
        let bits = ["-f", "--udp", "-p", "7", "-c", "10", "-i", "u1000", "-d", "64", "-E"];
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
to = IP(dst=REMEDIATION, proto=6, id=7)
segment = raw(IP(src=V4, dst=REMEDIATION) / TCP(sport=9, dport=80, flags='PA') / Raw(b'smuggled' * 8))[20:]
# Too short for its ports and flags.
send(frame() / to.copy(flags='MF') / Raw(segment[:8]),
     frame() / to.copy(flags='MF') / Raw(segment[:16]))
# Over the flags of another.
send(frame() / to.copy(flags='MF', frag=1) / Raw(segment[8:16]),
     frame() / to.copy(frag=2) / Raw(segment[16:]))
",
        )
        .map(drop)
    })?;
    scapy(
        scene.attacker(),
        "
packet = IP(dst=REMEDIATION) / TCP(sport=9, dport=80, flags='PA') / Raw(b'smuggled' * 32)
send(*[frame() / part for part in fragment(packet, fragsize=80)])
packet = IP(dst=REMEDIATION, id=8) / UDP(sport=9, dport=80) / Raw(b'smuggled' * 32)
send(*[frame() / part for part in fragment(packet, fragsize=80)])
",
    )?;
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
    scene.stops(&[(DROPPED, 1)], || {
        run_for(scene.attacker(), "3", "atk6-fragmentation6", ["-fp", "-n", "1", "eth0", "2001:db8:2::80"])
    })
}
