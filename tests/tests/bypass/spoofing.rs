//! The address of a host that complies, taken over.

use std::{fs, net::IpAddr, process::Command};

use enforcer_tests::{
    attack::{run, run_for, scapy},
    host::{ANSWERING, Host},
    lan::{SERVER, SERVER_V6, at},
    namespace::output,
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    tap::Tap,
    wait,
};

use crate::scene::{Count, Scene, give, ip, pcap, prefix};

const SPOOFED: Count = ("xdp", "drop", "spoofed");
/// The MAC address of the laptop's second interface.
const SECOND: &str = "02:00:00:00:00:21";

/// Packets of all kinds in the name of the laptop.
const IN_ITS_NAME: &str = "
for ip in [IP(src='192.0.2.11', dst=SERVER), IPv6(src='2001:db8:1::11', dst=SERVER6)]:
    send(frame() / ip / UDP(dport=7) / MARK,
         frame() / ip / TCP(sport=9, dport=80, flags='S') / MARK,
         frame() / ip / TCP(sport=9, dport=80, flags='PA') / MARK)
";

#[test]
fn the_address_of_another_is_no_use() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(SPOOFED, 6)], || {
        scapy(scene.attacker(), IN_ITS_NAME).map(drop)
    })
}

#[test]
fn a_recorded_exchange_is_no_use_to_another() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let (good, bad) = (scene.neighbour(), scene.attacker());
    let cable = Tap::new(&good.namespace)?;
    assert!(good.echoes(at(SERVER, ECHO), ANSWERING) && good.get(at(SERVER, HTTP)).is_page());
    let sent = cable.frames();
    let sent: Vec<_> = sent
        .iter()
        .filter(|frame| frame[6..12] == [2, 0, 0, 0, 0, 0x11])
        .collect();
    let [recorded, own] = ["recorded.pcap", "own.pcap"].map(|name| site.path(name));
    fs::write(&recorded, pcap(&sent))?;
    let mut rewrite = Command::new("tcprewrite");
    rewrite
        .args(["--enet-smac", &bad.mac, "--infile"])
        .arg(&recorded)
        .arg("--outfile")
        .arg(&own);
    output(&mut rewrite)?;
    scene.stops(&[(SPOOFED, sent.len() as u64)], || {
        let replay = ["--intf1=eth0", "--topspeed", &own.to_string_lossy()];
        run(bad, "tcpreplay", replay).map(drop)
    })
}

#[test]
fn the_gateways_neighbour_table_is_not_poisoned() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let (good, bad) = (scene.neighbour(), scene.attacker());
    scene.stops(&[(SPOOFED, 2)], || {
        run_for(
            bad,
            "3",
            "arpspoof",
            ["-i", "eth0", "-t", "192.0.2.1", "192.0.2.11"],
        )
    })?;
    scene.stops(&[(SPOOFED, 1)], || {
        let victim = ["eth0", "2001:db8:1::11", "2001:db8:1::1", &bad.mac];
        run_for(bad, "3", "atk6-fake_advertise6", victim)
    })?;
    scene.stops(&[(SPOOFED, 8)], || {
        scapy(
            bad,
            "
theirs = '02:00:00:00:00:11'
for of in [BROADCAST, GATEWAY_MAC]:
    send(frame(destination=of) / ARP(op=1, hwsrc=MAC, psrc='192.0.2.11', pdst=GATEWAY),
         frame(destination=of) / ARP(op=1, hwsrc=MAC, psrc='192.0.2.11', pdst='192.0.2.11'),
         frame(destination=of) / ARP(op=2, hwsrc=MAC, psrc='192.0.2.11', hwdst=GATEWAY_MAC, pdst=GATEWAY))
# The frame in its name, and the message not.
send(frame(source=theirs) / ARP(op=2, hwsrc=MAC, psrc='192.0.2.11', hwdst=GATEWAY_MAC, pdst=GATEWAY))
# The message in its name, and the frame not.
send(frame() / ARP(op=2, hwsrc=theirs, psrc='192.0.2.11', hwdst=GATEWAY_MAC, pdst=GATEWAY))
",
        )
        .map(drop)
    })?;
    scene.stops(&[(SPOOFED, 4)], || {
        scapy(
            bad,
            "
mine, victim = ICMPv6NDOptSrcLLAddr(lladdr=MAC), '2001:db8:1::11'
from_it = IPv6(src=victim, dst=GATEWAY6, hlim=255)
send(frame() / from_it / ICMPv6ND_NS(tgt=GATEWAY6) / mine,
     frame() / from_it / ICMPv6ND_RS() / mine,
     frame() / from_it / ICMPv6ND_NA(tgt=victim, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC),
     frame() / IPv6(src=V6, dst=GATEWAY6, hlim=255) / ICMPv6ND_NA(tgt=victim, S=1, O=1)
         / ICMPv6NDOptDstLLAddr(lladdr=MAC))
",
        )
        .map(drop)
    })?;
    for address in [good.v4, good.v6] {
        let mac = scene.in_neighbour_table(address);
        assert_eq!(mac.as_deref(), Some(&*good.mac), "{address}");
    }
    Ok(())
}

#[test]
fn a_host_that_only_the_operator_knows_is_bound_to_where_it_answers() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::of_the_operator(&site)?;
    let good = scene.neighbour();
    for address in [good.v4, good.v6] {
        wait::until_so(format!("{address} is bound"), || {
            scene.bound(address).as_ref() == Some(&good.mac)
        });
    }
    scene.stops(&[(SPOOFED, 6)], || {
        scapy(scene.attacker(), IN_ITS_NAME).map(drop)
    })?;
    assert_eq!(scene.bound(good.v4).as_ref(), Some(&good.mac));
    Ok(())
}

#[test]
fn what_the_operator_says_of_an_address_follows_it_when_the_device_is_gone() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::of_the_operator(&site)?;
    let (good, other) = (scene.neighbour(), scene.attacker());
    wait::until_so("it is bound", || {
        scene.bound(good.v4).as_ref() == Some(&good.mac)
    });
    scene.unplug()?;
    // As by a DHCP server that gives the address to another.
    give(other, good.v4)?;
    wait::until_so("the other one passes", || {
        other.echoes_from(good.v4, at(SERVER, ECHO))
    });
    wait::until_so("it is bound to the other one", || {
        scene.bound(good.v4).as_ref() == Some(&other.mac)
    });
    assert!(scene.gateway.has_logged("no longer answers"));
    Ok(())
}

#[test]
fn what_is_decided_of_a_device_does_not_follow_its_address() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let (good, bad) = (scene.neighbour(), scene.attacker());
    scene.unplug()?;
    for address in [good.v4, good.v6] {
        give(bad, address)?;
    }
    for (address, server) in [(good.v4, SERVER), (good.v6, SERVER_V6)] {
        wait::until_so(format!("{address} is given up"), || {
            assert!(!bad.echoes_from(address, at(server, ECHO)));
            scene.gateway.role(address) == "unknown"
        });
    }
    for address in [good.v4, good.v6] {
        take(bad, address)?;
    }
    // Its decision was about itself, and holds wherever it is.
    scene.plug()?;
    for server in [SERVER, SERVER_V6] {
        wait::until_so(format!("the laptop reaches {server} again"), || {
            good.passes(at(server, HTTP))
        });
    }
    for address in [good.v4, good.v6] {
        assert_eq!(scene.bound(address).as_ref(), Some(&good.mac));
    }
    Ok(())
}

#[test]
fn a_restart_of_the_gateway_unbinds_nobody() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?.restart()?;
    let good = scene.neighbour();
    for address in [good.v4, good.v6] {
        assert_eq!(scene.bound(address).as_ref(), Some(&good.mac), "{address}");
    }
    scene.stops(&[(SPOOFED, 6)], || {
        scapy(scene.attacker(), IN_ITS_NAME).map(drop)
    })
}

#[test]
fn a_device_may_send_by_either_of_its_interfaces() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let good = scene.neighbour();
    let posture = Posture::good("laptop").with_second(SECOND, "192.0.2.21");
    site.report(good, &posture)?;
    for line in [
        &format!("link add link eth0 name eth1 address {SECOND} type macvlan mode bridge"),
        "link set eth1 up",
        "addr add 192.0.2.21/24 dev eth1",
        "route replace 0.0.0.0/0 via 192.0.2.1 dev eth1 src 192.0.2.11",
    ] {
        ip(&good.namespace, line)?;
    }
    wait::until_so("it passes by its second interface", || {
        good.echoes(at(SERVER, ECHO), ANSWERING)
    });
    assert_eq!(scene.bound(good.v4), None);
    Ok(())
}

fn take(host: &Host, address: IpAddr) -> anyhow::Result<()> {
    let line = format!("addr del {address}/{} dev eth0", prefix(address));
    ip(&host.namespace, &line)
}
