//! Addresses that no host may send from, or to.

use enforcer_tests::{
    attack::{run_for, scapy},
    site::Site,
};

use crate::scene::{Count, Scene};

const MARTIAN: Count = ("xdp", "drop", "martian");
const DROPPED: Count = ("xdp", "drop", "role_denies");
const REJECTED: Count = ("xdp", "reject", "role_denies");

#[test]
fn nobody_sends_from_an_address_that_no_host_has() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(MARTIAN, 24)], || {
        scapy(
            scene.attacker(),
            "
for source in ['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.5', '240.0.0.1', '255.255.255.255', GATEWAY]:
    for protocol in UDP(dport=7), UDP(dport=53), TCP(dport=80, flags='S'):
        send(frame() / IP(src=source, dst=SERVER) / protocol / MARK)
for source in ['::', '::1', 'ff02::1', GATEWAY6]:
    send(frame() / IPv6(src=source, dst=SERVER6) / UDP(dport=7) / MARK)
",
        )
        .map(drop)
    })?;
    scene.stops(&[(MARTIAN, 20)], || {
        let forged = [
            "-q",
            "-a",
            "192.0.2.1",
            "--udp",
            "-p",
            "7",
            "-c",
            "20",
            "-i",
            "u1000",
            "198.51.100.80",
        ];
        run_for(scene.attacker(), "5", "hping3", forged)
    })
}

#[test]
fn the_gateway_is_not_asked_in_its_own_name() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(MARTIAN, 5)], || {
        scapy(
            scene.attacker(),
            "
send(frame() / ARP(op=2, hwsrc=MAC, psrc=GATEWAY, hwdst=GATEWAY_MAC, pdst=GATEWAY),
     frame() / ARP(op=1, hwsrc=MAC, psrc=GATEWAY, pdst='192.0.2.11'),
     frame() / IPv6(src=V6, dst='ff02::1', hlim=255)
         / ICMPv6ND_NA(tgt=GATEWAY6, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC),
     frame() / IP(src=GATEWAY, dst=GATEWAY) / TCP(sport=8443, dport=8443, flags='S'),
     frame() / IPv6(src=GATEWAY6, dst=GATEWAY6) / TCP(sport=8443, dport=8443, flags='S'))
",
        )
        .map(drop)
    })
}

#[test]
fn many_are_not_reached_either() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(MARTIAN, 4), (DROPPED, 8), (REJECTED, 2)], || {
        scapy(
            scene.attacker(),
            "
# To nobody.
for there in ['0.0.0.0', '0.1.2.3', '127.0.0.1']:
    send(frame() / IP(dst=there) / UDP(dport=7) / MARK)
send(frame() / IPv6(dst='::1') / UDP(dport=7) / MARK)
# To many, which nobody answers.
for there in ['255.255.255.255', '224.0.0.251', '239.1.2.3']:
    send(frame(destination=BROADCAST) / IP(dst=there) / UDP(dport=7) / MARK,
         frame(destination='01:00:5e:00:00:01') / IP(dst=there) / ICMP() / MARK)
send(frame(destination='33:33:00:00:00:01') / IPv6(src=V6, dst='ff02::1') / UDP(dport=5353) / MARK,
     frame(destination='33:33:00:00:00:01') / IPv6(src=V6, dst='ff0e::1') / ICMPv6EchoRequest() / MARK)
# Where the servers are, in one frame for all of them.
send(frame() / IP(dst='198.51.100.255') / ICMP() / MARK, frame() / IP(dst='192.0.2.255') / ICMP() / MARK)
",
        )
        .map(drop)
    })
}
