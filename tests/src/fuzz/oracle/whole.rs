//! The library's reading of the whole packet, against ours of its parts.

use anyhow::{Result, bail, ensure};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};

use super::{Packet, Reading};
use enforcer_common::packet::{Kind, Ports, Transport};

/// Whether the library says the same of the whole frame as the reading, which no rule sets apart.
pub fn check(frame: &[u8], reading: &Reading<'_>) -> Result<()> {
    let whole = SlicedPacket::from_ethernet(frame);
    let (whole, packet) = match (&whole, &reading.packet) {
        (Ok(whole), Some(packet)) if reading.kind == Ok(Kind::Ip) => (whole, packet),
        (Err(_), _) if reading.kind.is_err() => return Ok(()),
        _ => bail!("the library says {whole:?}"),
    };
    let (source, destination, hops, payload) = match &whole.net {
        Some(NetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let ends = (
                header.source_addr().into(),
                header.destination_addr().into(),
            );
            (ends.0, ends.1, header.ttl(), ip.payload())
        }
        Some(NetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let ends = (
                header.source_addr().into(),
                header.destination_addr().into(),
            );
            (ends.0, ends.1, header.hop_limit(), ip.payload())
        }
        other => bail!("the library says {other:?}"),
    };
    ensure!((source, destination, hops) == (packet.source, packet.destination, packet.hop_limit));
    ensure!(
        payload.ip_number.0 == packet.protocol,
        "protocol {:?}",
        payload.ip_number
    );
    ensure!(
        std::ptr::eq(payload.payload, packet.body),
        "{} bytes",
        payload.payload.len()
    );
    ensure!(
        agrees(whole, packet),
        "the library says {:?}",
        whole.transport
    );
    Ok(())
}

fn agrees(whole: &SlicedPacket<'_>, packet: &Packet<'_>) -> bool {
    let ports = |source, destination| Ports {
        source,
        destination,
    };
    match (&whole.transport, packet.transport) {
        (Some(TransportSlice::Tcp(tcp)), Transport::Tcp(ours, flags)) => {
            let bits = [
                tcp.fin(),
                tcp.syn(),
                tcp.rst(),
                tcp.psh(),
                tcp.ack(),
                tcp.urg(),
                tcp.ece(),
                tcp.cwr(),
            ];
            let bits = (0..)
                .zip(bits)
                .fold(0, |byte, (bit, set)| byte | u8::from(set) << bit);
            ours == ports(tcp.source_port(), tcp.destination_port())
                && flags.bits == bits
                && flags.payload != tcp.payload().is_empty()
        }
        (Some(TransportSlice::Udp(udp)), Transport::Datagram(ours)) => {
            ours == ports(udp.source_port(), udp.destination_port())
        }
        (Some(TransportSlice::Icmpv4(icmp)), Transport::Icmp(kind)) => kind == icmp.type_u8(),
        (Some(TransportSlice::Icmpv6(icmp)), Transport::Icmp(kind)) => kind == icmp.type_u8(),
        (Some(TransportSlice::Igmp(_)), Transport::None) => packet.protocol == 2,
        // SCTP, which the library does not know.
        (None, Transport::Datagram(_)) => packet.protocol == 132,
        (None, Transport::None) => true,
        _ => false,
    }
}
