//! Second addresses of one's own: the host behind them stays what it is.

use std::net::IpAddr;

use enforcer_tests::{
    attack::scapy,
    host::Answer,
    lan::{SERVER, SERVER_V6, at},
    posture::Posture,
    servers::{ECHO, HTTP, HTTPS},
    site::Site,
    tap::addresses,
    wait,
};

use crate::scene::{Count, Scene, give};

const HELD: Count = ("xdp", "drop", "held");

/// Another address of the network, and one as privacy extensions choose them (RFC 8981).
const SECOND: [(&str, &str); 2] = [
    ("192.0.2.13", SERVER),
    ("2001:db8:1:0:9c4e:37aa:52d1:e08f", SERVER_V6),
];

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_second_address_is_unknown_until_it_is_decided() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let bad = scene.attacker();
    for (second, server) in SECOND {
        let second = address(second);
        give(bad, second)?;
        assert!(!bad.echoes_from(second, at(server, ECHO)), "{second}");
        let answer = bad.get_from(second, at(server, HTTPS));
        assert!(
            matches!(answer, Answer::Silence | Answer::Reset),
            "{answer:?}"
        );
        wait::until_so(format!("{second} is known to be unknown"), || {
            scene.gateway.role(second) == "unknown"
        });
        assert_eq!(bad.get_from(second, at(server, HTTPS)), Answer::Reset);
    }
    // A connection may be opened while the answer is awaited; nothing is said in it.
    let arrived = scene.arrived();
    let strangers = arrived.iter().filter(|frame| {
        addresses(frame).is_some_and(|(from, _)| SECOND.iter().any(|(own, _)| address(own) == from))
    });
    for frame in strangers {
        assert!(is_bare_syn(frame), "{frame:02x?}");
    }
    Ok(())
}

#[test]
fn every_address_that_an_endpoint_has_is_in_its_role() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let bad = scene.attacker();
    let mut posture = Posture::bad("desktop").claiming(bad.v6);
    for (second, _) in SECOND {
        give(bad, address(second))?;
        posture = posture.claiming(address(second));
    }
    assert_eq!(site.report(bad, &posture)?, "quarantine");
    for (second, server) in SECOND {
        let second = address(second);
        wait::until_so(format!("{second} is in quarantine"), || {
            assert!(!bad.echoes_from(second, at(server, ECHO)));
            scene.gateway.role(second) == "quarantine"
        });
        assert_eq!(scene.bound(second).as_ref(), Some(&bad.mac));
        assert!(bad.get_from(second, at(server, HTTP)).leads_to().is_some());
    }
    Ok(())
}

#[test]
fn an_address_for_every_packet_gets_none_of_them_through() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(HELD, 400)], || {
        scapy(
            scene.attacker(),
            "
for n in range(100):
    v4 = IP(src=f'192.0.2.{100 + n}', dst=SERVER)
    a, b, c = (IPv6(src=f'2001:db8:1::{x}:{n}', dst=SERVER6) for x in 'abc')
    send(frame() / v4 / UDP(dport=7) / MARK, frame() / a / TCP(dport=80, flags='S') / MARK,
         frame() / b / UDP(dport=7) / MARK, frame() / c / TCP(dport=80, flags='PA') / MARK)
",
        )
        .map(drop)
    })
}

/// A TCP segment with nothing but SYN in it.
fn is_bare_syn(frame: &[u8]) -> bool {
    let packet = etherparse::SlicedPacket::from_ethernet(frame).expect("a packet");
    match packet.transport {
        Some(etherparse::TransportSlice::Tcp(tcp)) => {
            tcp.syn() && !tcp.ack() && tcp.payload().is_empty()
        }
        _ => false,
    }
}
