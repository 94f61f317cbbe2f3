//! From bytes to the few facts that decide.
//!
//! [`parse`] reads through [`Bytes`], so that the kernel programs (bounded pointers) and user space
//! (slices) share it. Every length is checked against the frame before it is believed.

mod bytes;
mod ether_type;
mod fragment;
mod ipv4;
mod ipv6;
pub mod protocol;
pub mod tcp_flag;
mod transport;

pub use bytes::Bytes;
pub use transport::{Ports, TcpFlags, Transport};

use crate::{host::Address, limits};
use transport::Header;

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An IP packet.
    Ip(Packet),
    /// ARP.
    Arp,
    /// A protocol between neighbours that carries no host's traffic: EAPOL, LLDP.
    Link,
}

/// A [`Frame`] whose packet was written elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An IP packet.
    Ip,
    /// ARP.
    Arp,
    /// EAPOL, LLDP.
    Link,
}

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Cut short, lengths that lie, or headers that overlap.
    Malformed,
    /// More VLAN tags or extension headers than the bound.
    TooDeep,
    /// An Ethernet type that carries neither IP nor ARP.
    NotIp,
}

/// An IP packet, described by what can decide about it. Offsets are from the start of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// MAC address of the sender.
    pub source_mac: [u8; 6],
    /// Where the IP header begins.
    pub network: usize,
    /// Where the transport header begins.
    pub transport: usize,
    /// Where the IP packet ends; what follows is padding.
    pub end: usize,
    /// Time to live or hop limit.
    pub hop_limit: u8,
    /// The upper-layer protocol.
    pub protocol: u8,
    /// What is known of the transport header, as [`Packet::transport_header`] tells it. Kept apart in
    /// plain fields, none ever undefined, because the kernel programs fill it in place.
    header: Header,
    ports: Ports,
    flags: TcpFlags,
    icmp_type: u8,
}

impl Packet {
    /// A packet of which nothing is known yet.
    pub const EMPTY: Self = Self {
        source: Address::v4([0; 4]),
        destination: Address::v4([0; 4]),
        source_mac: [0; 6],
        network: 0,
        transport: 0,
        end: 0,
        hop_limit: 0,
        protocol: 0,
        header: Header::None,
        ports: Ports {
            source: 0,
            destination: 0,
        },
        flags: TcpFlags {
            bits: 0,
            payload: false,
        },
        icmp_type: 0,
    };

    /// What the transport header says; in later fragments there is none.
    #[inline(always)]
    pub fn transport_header(&self) -> Transport {
        match self.header {
            Header::Tcp => Transport::Tcp(self.ports, self.flags),
            Header::Datagram => Transport::Datagram(self.ports),
            Header::Icmp => Transport::Icmp(self.icmp_type),
            Header::None => Transport::None,
        }
    }

    /// The ports, where the packet has them.
    #[inline(always)]
    pub fn ports(&self) -> Option<Ports> {
        match self.header {
            Header::Tcp | Header::Datagram => Some(self.ports),
            Header::Icmp | Header::None => None,
        }
    }

    /// Whether this is a TCP segment that opens a flow and carries nothing: SYN alone.
    #[inline(always)]
    pub fn is_bare_syn(&self) -> bool {
        use tcp_flag::{ACK, FIN, RST, SYN};
        self.header == Header::Tcp
            && self.flags.bits & (SYN | ACK | RST | FIN) == SYN
            && !self.flags.payload
    }
}

const ETHERNET: usize = 14;

/// Reads a frame that starts with its Ethernet header.
pub fn parse<B: Bytes + ?Sized>(bytes: &B) -> Result<Frame, Refusal> {
    let mut packet = Packet::EMPTY;
    Ok(match parse_into(bytes, &mut packet)? {
        Kind::Ip => Frame::Ip(packet),
        Kind::Arp => Frame::Arp,
        Kind::Link => Frame::Link,
    })
}

/// Reads a frame that starts with its Ethernet header into `packet`, which is whole when the answer is
/// [`Kind::Ip`] and of no meaning otherwise.
#[inline(always)]
pub fn parse_into<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    let ethernet = bytes.header::<ETHERNET>(0).ok_or(Refusal::Malformed)?;
    packet.source_mac.copy_from_slice(&ethernet[6..12]);
    let mut kind = u16::from_be_bytes([ethernet[12], ethernet[13]]);
    let mut offset = ETHERNET;
    for _ in 0..limits::VLAN_TAGS {
        if !is_tag(kind) {
            break;
        }
        let tag = bytes.header::<4>(offset).ok_or(Refusal::Malformed)?;
        kind = u16::from_be_bytes([tag[2], tag[3]]);
        offset += 4;
    }
    packet.network = offset;
    match kind {
        ether_type::IPV4 => ipv4::read(bytes, packet),
        ether_type::IPV6 => ipv6::read(bytes, packet),
        ether_type::ARP => Ok(Kind::Arp),
        ether_type::EAPOL | ether_type::LLDP => Ok(Kind::Link),
        kind if is_tag(kind) => Err(Refusal::TooDeep),
        _ => Err(Refusal::NotIp),
    }
}

#[inline(always)]
fn is_tag(kind: u16) -> bool {
    use ether_type::{OLD_PROVIDER_VLAN, PROVIDER_VLAN, VLAN};
    matches!(kind, VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN)
}

/// Where the packet ends in the frame. A length of zero is what segmentation offload of more than
/// 64 KiB leaves ("BIG TCP", Linux 4.20 for IPv6, 6.3 for IPv4): only such a frame may have it.
#[inline(always)]
fn end_of<B: Bytes + ?Sized>(bytes: &B, start: usize, length: usize) -> Result<usize, Refusal> {
    let frame = bytes.length();
    if length == 0 && frame - start > usize::from(u16::MAX) {
        return Ok(frame);
    }
    let end = start + length;
    if end > frame {
        Err(Refusal::Malformed)
    } else {
        Ok(end)
    }
}
