//! Single packets through the real programs, by `BPF_PROG_TEST_RUN`.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use enforcer_common::role::RoleId;
use enforcer_tests::{
    cpu,
    fixture::{self, Tcp, v4, v6},
    gate::{Gate, PORTAL, TC_PASS, TC_SHOT, XDP_DROP, XDP_PASS, XDP_TX},
    reply::Reply,
};

fn at(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}

#[test]
fn an_authorized_host_passes_both_ways() -> Result<()> {
    let mut gate = Gate::new()?;
    for (host, server) in [(v4(10), v4(99)), (v6(10), v6(99))] {
        gate.decide(host, RoleId::AUTHORIZED)?;
        let out = fixture::tcp(at(host, 40_000), at(server, 443), Tcp::Data, b"hello");
        let back = fixture::tcp(at(server, 443), at(host, 40_000), Tcp::Data, b"hello");
        for _ in 0..3 {
            let ran = gate.from_host(&out)?;
            assert_eq!((ran.code, &ran.packet), (XDP_PASS, &out));
            let ran = gate.to_host(&back)?;
            assert_eq!((ran.code, &ran.packet), (TC_PASS, &back));
        }
    }
    assert_eq!(gate.counted("xdp", "pass", "role_allows")?, 6);
    assert_eq!(gate.counted("tc_egress", "pass", "role_allows")?, 6);
    Ok(())
}

#[test]
fn a_denied_host_is_dropped_in_silence() -> Result<()> {
    let mut gate = Gate::new()?;
    gate.decide(v4(10), RoleId::DENIED)?;
    let out = fixture::tcp(at(v4(10), 40_000), at(v4(99), 80), Tcp::Syn, b"");
    let back = fixture::udp(at(v4(99), 53), at(v4(10), 40_000), b"answer");
    assert_eq!(gate.from_host(&out)?.code, XDP_DROP);
    assert_eq!(gate.to_host(&back)?.code, TC_SHOT);
    Ok(())
}

#[test]
fn a_quarantined_host_reaches_remediation_and_is_told_of_the_rest() -> Result<()> {
    let mut gate = Gate::new()?;
    let (host, server, mender) = (v4(10), v4(99), v4(200));
    gate.decide(host, RoleId::QUARANTINE)?;
    let cases = [
        (
            fixture::tcp(at(host, 1), at(mender, 443), Tcp::Syn, b""),
            XDP_PASS,
        ),
        (
            fixture::tcp(at(host, 1), at(mender, 22), Tcp::Syn, b""),
            XDP_TX,
        ),
        (
            fixture::tcp(at(host, 1), at(server, 443), Tcp::Syn, b""),
            XDP_TX,
        ),
        (
            fixture::tcp(at(host, 1), at(server, 443), Tcp::Reset, b""),
            XDP_DROP,
        ),
        (fixture::udp(at(host, 1), at(server, 443), b"quic"), XDP_TX),
        (fixture::udp(at(host, 1), at(v4(1), 53), b"query"), XDP_PASS),
        (fixture::ping(host, server), XDP_TX),
        (fixture::raw(host, server, fixture::GRE, &[0; 8]), XDP_TX),
        (fixture::raw(host, server, 1, &[3; 36]), XDP_DROP),
    ];
    for (index, (packet, expected)) in cases.iter().enumerate() {
        assert_eq!(gate.from_host(packet)?.code, *expected, "case {index}");
    }
    Ok(())
}

/// What the gateway says to its neighbours is no answer of the portal, even right behind one.
#[test]
fn only_answers_of_the_portal_are_rewritten() -> Result<()> {
    let mut gate = Gate::new()?;
    cpu::pin(cpu::all_of_this_process()?[0])?;
    for (host, server, portal) in [(v4(10), v4(99), v4(1)), (v6(10), v6(99), v6(1))] {
        gate.decide(host, RoleId::QUARANTINE)?;
        let syn = fixture::tcp(at(host, 40_000), at(server, 80), Tcp::Syn, b"");
        gate.from_host(&syn)?;
        let answer = fixture::tcp(at(portal, PORTAL), at(host, 40_000), Tcp::Data, b"page");
        for neighbours in [
            fixture::frame(0x88cc, &[2; 86]),
            fixture::frame(0x0806, &[0; 86]),
            fixture::frame(0x88b5, &[0; 86]),
        ] {
            let restored = gate.to_host(&answer)?.packet;
            assert_eq!(Reply::parse(&restored)?.from, at(server, 80));
            assert_eq!(gate.to_host(&neighbours)?.packet, neighbours);
        }
    }
    Ok(())
}

#[test]
fn a_reset_answers_the_segment_that_it_stops() -> Result<()> {
    let mut gate = Gate::new()?;
    for (host, server) in [(v4(10), v4(99)), (v6(10), v6(99))] {
        gate.decide(host, RoleId::QUARANTINE)?;
        let syn = fixture::tcp(at(host, 40_000), at(server, 443), Tcp::Syn, b"");
        let ran = gate.from_host(&syn)?;
        assert_eq!(ran.code, XDP_TX);
        let reply = Reply::parse(&ran.packet)?;
        assert_eq!((reply.from, reply.to), (at(server, 443), at(host, 40_000)));
        assert_eq!(
            (reply.link.from, reply.link.to),
            (fixture::GATEWAY_MAC, fixture::HOST_MAC)
        );
        assert!(reply.tcp.rst && reply.tcp.ack && !reply.tcp.syn);
        assert_eq!(reply.tcp.acknowledgment_number, fixture::SEQUENCE + 1);

        let data = fixture::tcp(at(host, 40_000), at(server, 443), Tcp::Data, b"hello");
        let reply = Reply::parse(&gate.from_host(&data)?.packet)?;
        assert!(reply.tcp.rst && !reply.tcp.ack);
        assert_eq!(reply.tcp.sequence_number, fixture::ACKNOWLEDGEMENT);
    }
    Ok(())
}
