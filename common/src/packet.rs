//! From bytes to the few facts that decide.
//!
//! [`parse`] reads through [`Bytes`], so that the kernel programs (bounded pointers) and user space
//! (slices) share it. Every length is checked against the frame before it is believed.

use crate::{host::Address, limits};

/// Read access to a frame, from its Ethernet header on.
pub trait Bytes {
    /// The length of the whole frame in bytes.
    fn length(&self) -> usize;

    /// The `N` bytes at `offset`, or `None` when the frame does not hold them.
    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;
}

impl Bytes for [u8] {
    fn length(&self) -> usize {
        self.len()
    }

    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.get(offset..)?.first_chunk().copied()
    }
}

/// Numbers of IP protocols and extension headers (IANA "Assigned Internet Protocol Numbers").
pub mod protocol {
    /// IPv6 hop-by-hop options.
    pub const HOP_BY_HOP: u8 = 0;
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IGMP.
    pub const IGMP: u8 = 2;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 routing header.
    pub const ROUTING: u8 = 43;
    /// IPv6 fragment header.
    pub const FRAGMENT: u8 = 44;
    /// Authentication header (RFC 4302): transparent, so the walk goes on behind it.
    pub const AUTHENTICATION: u8 = 51;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// IPv6 destination options.
    pub const DESTINATION: u8 = 60;
    /// SCTP.
    pub const SCTP: u8 = 132;
    /// Mobility header (RFC 6275).
    pub const MOBILITY: u8 = 135;
}

/// Numbers of Ethernet types (IANA "Ether Types").
mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const ARP: u16 = 0x0806;
    pub(super) const VLAN: u16 = 0x8100;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const EAPOL: u16 = 0x888e;
    pub(super) const PROVIDER_VLAN: u16 = 0x88a8;
    pub(super) const LLDP: u16 = 0x88cc;
    pub(super) const OLD_PROVIDER_VLAN: u16 = 0x9100;
}

/// Bits of the TCP flags byte (RFC 9293 section 3.1).
pub mod tcp_flag {
    /// FIN.
    pub const FIN: u8 = 1;
    /// SYN.
    pub const SYN: u8 = 1 << 1;
    /// RST.
    pub const RST: u8 = 1 << 2;
    /// ACK.
    pub const ACK: u8 = 1 << 4;
}

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
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
    /// ICMP or `ICMPv6`: its type.
    Icmp(u8),
    /// No header that the datapath reads: another protocol, or a later fragment.
    None,
}

/// Source and destination port in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
}

/// TCP flags, and whether the segment carries payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFlags {
    /// The flags byte, see [`tcp_flag`].
    pub bits: u8,
    /// Whether bytes follow the TCP header.
    pub payload: bool,
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
const IPV4: usize = 20;
const IPV6: usize = 40;
const TCP: usize = 20;
const UDP: usize = 8;
const ICMP: usize = 8;

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
        ether_type::IPV4 => ipv4(bytes, packet),
        ether_type::IPV6 => ipv6(bytes, packet),
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

/// RFC 791 section 3.1.
#[inline(always)]
fn ipv4<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    let network = packet.network;
    let ip = bytes.header::<IPV4>(network).ok_or(Refusal::Malformed)?;
    let header_length = usize::from(ip[0] & 0x0f) * 4;
    if ip[0] >> 4 != 4 || header_length < IPV4 {
        return Err(Refusal::Malformed);
    }
    let end = end_of(
        bytes,
        network,
        usize::from(u16::from_be_bytes([ip[2], ip[3]])),
    )?;
    let transport = network + header_length;
    if transport > end {
        return Err(Refusal::Malformed);
    }
    let fragment = Fragment::at(u16::from_be_bytes([ip[6], ip[7]]) & 0x1fff);
    packet.source = Address::v4([ip[12], ip[13], ip[14], ip[15]]);
    packet.destination = Address::v4([ip[16], ip[17], ip[18], ip[19]]);
    packet.end = end;
    packet.transport = transport;
    packet.hop_limit = ip[8];
    packet.protocol = ip[9];
    transport_header(bytes, packet, fragment)
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

/// What an IP header says of fragmentation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fragment {
    /// The whole packet, or its first fragment.
    First,
    /// A later fragment, at this offset in units of eight bytes.
    Later(u16),
}

impl Fragment {
    #[inline(always)]
    fn at(offset: u16) -> Self {
        if offset == 0 {
            Self::First
        } else {
            Self::Later(offset)
        }
    }
}

/// RFC 8200 sections 3 and 4, with RFC 7112: the whole chain stands in the first fragment.
#[inline(always)]
fn ipv6<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    let network = packet.network;
    let ip = bytes.header::<IPV6>(network).ok_or(Refusal::Malformed)?;
    if ip[0] >> 4 != 6 {
        return Err(Refusal::Malformed);
    }
    let length = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
    let start = network + IPV6;
    let end = end_of(bytes, start, length)?;
    let (mut source, mut destination) = ([0; 16], [0; 16]);
    source.copy_from_slice(&ip[8..24]);
    destination.copy_from_slice(&ip[24..40]);
    packet.source = Address::v6(source);
    packet.destination = Address::v6(destination);
    packet.end = end;
    packet.hop_limit = ip[7];
    let mut chain = Chain {
        next: ip[6],
        offset: start,
        fragment: Fragment::First,
    };
    for _ in 0..limits::EXTENSION_HEADERS {
        if !chain.is_extension() {
            break;
        }
        chain = chain.step(bytes, end)?;
    }
    if chain.is_extension() {
        return Err(Refusal::TooDeep);
    }
    packet.transport = chain.offset;
    packet.protocol = chain.next;
    transport_header(bytes, packet, chain.fragment)
}

/// A place in a chain of extension headers.
#[derive(Clone, Copy)]
struct Chain {
    next: u8,
    offset: usize,
    fragment: Fragment,
}

impl Chain {
    /// Whether another header is to be skipped. Behind a later fragment's header nothing can be read.
    #[inline(always)]
    fn is_extension(&self) -> bool {
        use protocol::{AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, MOBILITY, ROUTING};
        self.fragment == Fragment::First
            && matches!(
                self.next,
                HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY
            )
    }

    #[inline(always)]
    fn step<B: Bytes + ?Sized>(self, bytes: &B, end: usize) -> Result<Self, Refusal> {
        let header = bytes.header::<8>(self.offset).ok_or(Refusal::Malformed)?;
        let (length, fragment) = match self.next {
            protocol::FRAGMENT => (
                8,
                Fragment::at(u16::from_be_bytes([header[2], header[3]]) >> 3),
            ),
            protocol::AUTHENTICATION => ((usize::from(header[1]) + 2) * 4, Fragment::First),
            _ => ((usize::from(header[1]) + 1) * 8, Fragment::First),
        };
        let offset = self.offset + length;
        if offset > end {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            next: header[0],
            offset,
            fragment,
        })
    }
}

#[inline(always)]
fn transport_header<B: Bytes + ?Sized>(
    bytes: &B,
    packet: &mut Packet,
    fragment: Fragment,
) -> Result<Kind, Refusal> {
    packet.header = Header::None;
    if let Fragment::Later(at) = fragment {
        // A fragment that begins inside the TCP header would overwrite its flags (RFC 1858).
        let overlaps = packet.protocol == protocol::TCP && usize::from(at) * 8 < TCP;
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
