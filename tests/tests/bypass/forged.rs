//! What only routers and DHCP servers say, said by a host.
//!
//! A gateway sees what comes to it. What hosts tell one another on their own wire, the switch has to keep from them.

use std::thread;

use enforcer_tests::{
    attack::{run_for, scapy},
    site::Site,
};

use crate::scene::{Count, Scene};

const ROGUE_ROUTER: Count = ("xdp", "drop", "rogue_router");
const ROGUE_DHCP: Count = ("xdp", "drop", "rogue_dhcp");
const MALFORMED: Count = ("xdp", "drop", "malformed");
const HELD: Count = ("xdp", "drop", "held");

/// How router advertisements are hidden from those who look for them (RFC 7113): not at all, behind a hop-by-hop
/// header, behind one fragment header or several.
const HIDDEN: [&str; 4] = ["", "H", "1", "H111"];
/// The same in pieces: by a large header, and by fragments that overlap.
const IN_PIECES: [&str; 4] = ["D", "O", "o", "F"];

fn fake_router(scene: &Scene<'_>, evasion: &str) -> anyhow::Result<()> {
    let mut arguments = vec!["-n", "2", "-i", "1", "-A", "2001:db8:bad::/64"];
    if !evasion.is_empty() {
        arguments.extend(["-E", evasion]);
    }
    arguments.push("eth0");
    run_for(scene.attacker(), "3", "atk6-fake_router26", arguments)
}

#[test]
fn no_host_is_a_router() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(ROGUE_ROUTER, 8), (MALFORMED, 2), (HELD, 2)], || {
        thread::scope(|scope| {
            let tools = HIDDEN.iter().chain(&IN_PIECES);
            let running: Vec<_> = tools
                .map(|evasion| scope.spawn(|| fake_router(&scene, evasion)))
                .collect();
            let ended = running.into_iter().map(|one| one.join().expect("no panic"));
            ended.collect()
        })
    })?;
    scene.stops(&[(ROGUE_ROUTER, 1000)], || {
        run_for(scene.attacker(), "1", "atk6-flood_router6", ["eth0"])
    })
}

#[test]
fn a_host_that_complies_is_no_router_and_no_dhcp_server_either() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(ROGUE_ROUTER, 2), (ROGUE_DHCP, 2)], || {
        scapy(
            scene.neighbour(),
            "
send(frame() / IPv6(src=V6, dst='ff02::1', hlim=255) / ICMPv6ND_RA(),
     frame() / IPv6(src=V6, dst=GATEWAY6, hlim=255) / ICMPv6ND_Redirect(tgt='fe80::1', dst=SERVER6))
send(frame() / IP(dst='255.255.255.255') / UDP(sport=67, dport=68) / MARK,
     frame() / IPv6(src=V6, dst='ff02::1') / UDP(sport=547, dport=546) / MARK)
",
        )
        .map(drop)
    })
}

#[test]
fn no_host_is_a_dhcp_server() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(ROGUE_DHCP, 7)], || {
        scapy(
            scene.attacker(),
            "
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DHCP6_Advertise, DHCP6_Reply

def answer(kind):
    options = [('message-type', kind), ('server_id', V4), ('router', V4), ('name_server', V4), 'end']
    return BOOTP(op=2, yiaddr='192.0.2.99', siaddr=V4, chaddr=bytes(6)) / DHCP(options=options)

for kind in 'offer', 'ack':
    for there in '255.255.255.255', GATEWAY:
        send(frame() / IP(src=V4, dst=there) / UDP(sport=67, dport=68) / answer(kind))
# From another port, which clients take as well.
send(frame() / IP(src=V4, dst='255.255.255.255') / UDP(sport=6767, dport=68) / answer('offer'))
for message in DHCP6_Advertise(), DHCP6_Reply():
    send(frame() / IPv6(src='fe80::ff:fe00:12', dst='ff02::1') / UDP(sport=547, dport=546) / message)
",
        )
        .map(drop)
    })
}
