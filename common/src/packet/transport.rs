//! What is read of a transport header: ports, flags, types.

use super::{Bytes, Kind, Packet, Part, Refusal, protocol};

const TCP: usize = 20;
const UDP: usize = 8;
const ICMP: usize = 8;

#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    None,
    Tcp,
    Datagram,
    Icmp,
}

/// The part of a transport header that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp(Ports, TcpFlags),
    /// UDP, or SCTP: ports without flags.
    Datagram(Ports),
    /// ICMP or ICMPv6: its type.
    Icmp(u8),
    /// No header that the datapath reads: another protocol, or a later fragment.
    None,
}

/// Source and destination port in host byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
}

/// TCP flags, and whether the segment carries payload.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFlags {
    /// The flags byte, see [`tcp_flag`](super::tcp_flag).
    pub bits: u8,
    /// Whether bytes follow the TCP header.
    pub payload: bool,
}

#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    packet.header = Header::None;
    if packet.part == Part::Later {
        // A fragment that begins inside the TCP header would overwrite its flags (RFC 1858, RFC 3128).
        let overlaps =
            packet.protocol == protocol::TCP && usize::from(packet.fragment_offset) * 8 < TCP;
        return if overlaps {
            Err(Refusal::Malformed)
        } else {
            Ok(Kind::Ip)
        };
    }
    match packet.protocol {
        protocol::TCP => tcp(bytes, packet)?,
        protocol::UDP | protocol::SCTP => {
            let udp = within::<B, UDP>(bytes, packet)?;
            packet.ports = ports([udp[0], udp[1], udp[2], udp[3]]);
            packet.header = Header::Datagram;
        }
        protocol::ICMP | protocol::ICMPV6 => {
            packet.icmp_type = within::<B, ICMP>(bytes, packet)?[0];
            packet.header = Header::Icmp;
        }
        _ => {}
    }
    Ok(Kind::Ip)
}

/// RFC 9293 section 3.1.
#[inline(always)]
fn tcp<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<(), Refusal> {
    let tcp = within::<B, TCP>(bytes, packet)?;
    let data = packet.transport + usize::from(tcp[12] >> 4) * 4;
    if data < packet.transport + TCP || data > packet.end {
        return Err(Refusal::Malformed);
    }
    packet.ports = ports([tcp[0], tcp[1], tcp[2], tcp[3]]);
    packet.flags = TcpFlags {
        bits: tcp[13],
        payload: data < packet.end,
    };
    packet.header = Header::Tcp;
    Ok(())
}

/// The transport header, when it ends inside the IP packet.
#[inline(always)]
fn within<B: Bytes + ?Sized, const N: usize>(
    bytes: &B,
    packet: &Packet,
) -> Result<[u8; N], Refusal> {
    if packet.transport + N > packet.end {
        return Err(Refusal::Malformed);
    }
    bytes
        .header::<N>(packet.transport)
        .ok_or(Refusal::Malformed)
}

#[inline(always)]
fn ports(bytes: [u8; 4]) -> Ports {
    Ports {
        source: u16::from_be_bytes([bytes[0], bytes[1]]),
        destination: u16::from_be_bytes([bytes[2], bytes[3]]),
    }
}
