//! From bytes to the few facts that decide.
//!
//! [`parse`] reads through [`Bytes`], so that the kernel programs (bounded pointers) and user space
//! (slices) share it. Every length is checked against the frame before it is believed.

mod bytes;
mod claim;
mod ether_type;
mod fragment;
mod ipv4;
mod ipv6;
pub mod protocol;
pub mod tcp_flag;
mod transport;

pub use bytes::{Bytes, Stripped};
pub use claim::{Claim, arp_claim, neighbour_claim};
pub use fragment::Part;
pub use ipv6::parse_chain;
pub use transport::{Ports, TcpFlags, Transport};

use crate::{host::Address, limits, mac::Mac};
use transport::Header;

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An IP packet.
    Ip(Packet),
    /// ARP.
    Arp,
    /// A protocol between neighbours that carries no host's traffic: EAPOL, LLDP, LACP, spanning tree.
    Link,
}

/// A [`Frame`] whose packet was written elsewhere.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An IP packet.
    Ip,
    /// ARP.
    Arp,
    /// EAPOL, LLDP, LACP, spanning tree.
    Link,
    /// An IPv6 packet with extension headers, which [`parse_chain`] walks: in a kernel program they are not worth the
    /// place in the path of every packet.
    Chain,
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

/// The VLANs that a frame says to be of, outermost first; 0 where there is none. Priority tags, whose VLAN
/// is 0, say nothing (IEEE 802.1Q-2022 section 9.6).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vlans {
    /// The outer one.
    pub outer: u16,
    /// The one inside it.
    pub inner: u16,
}

impl Vlans {
    /// Of no VLAN.
    pub const NONE: Self = Self { outer: 0, inner: 0 };

    /// Whether there is none.
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.outer == 0
    }

    #[inline(always)]
    fn enter(&mut self, tag: u16) {
        let vlan = tag & 0x0fff;
        if self.outer == 0 {
            self.outer = vlan;
        } else if self.inner == 0 {
            self.inner = vlan;
        }
    }
}

/// An IP packet, described by what can decide about it. Offsets are from the start of the frame. Kernel and
/// user space read the same bytes of it, so its layout is fixed.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// MAC address of the sender.
    pub source_mac: Mac,
    /// Where the IP header begins.
    pub network: usize,
    /// Where the transport header begins.
    pub transport: usize,
    /// Where the IP packet ends; what follows is padding.
    pub end: usize,
    /// The number that fragments of one packet share.
    pub fragment_id: u32,
    /// The VLANs.
    pub vlans: Vlans,
    /// Where in it a fragment begins, in units of eight bytes.
    pub fragment_offset: u16,
    /// Which part of an IP packet this is.
    pub part: Part,
    /// Time to live or hop limit.
    pub hop_limit: u8,
    /// The upper-layer protocol.
    pub protocol: u8,
    /// Whether it may name further stations, to which its destination is to send it on: an IPv6 routing header says
    /// so, and IPv4 options, which are not read, may.
    pub goes_on: bool,
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
        source_mac: Mac::NONE,
        network: 0,
        transport: 0,
        end: 0,
        fragment_id: 0,
        vlans: Vlans::NONE,
        fragment_offset: 0,
        part: Part::Whole,
        hop_limit: 0,
        protocol: 0,
        goes_on: false,
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

    /// Describes an ARP packet of this sender, where another packet may have been described before: it carries nothing,
    /// and is for nobody.
    #[inline(always)]
    pub fn describe_arp(&mut self, sender: Address) {
        self.source = sender;
        self.destination = Self::EMPTY.destination;
        self.protocol = 0;
        self.header = Header::None;
    }

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

/// The LLC header of spanning tree (IEEE 802.1Q-2022 section 14.1.1): others, as SNAP, may carry anything.
const SPANNING_TREE: [u8; 3] = [0x42, 0x42, 3];

/// Reads a frame that starts with its Ethernet header.
pub fn parse<B: Bytes + ?Sized>(bytes: &B) -> Result<Frame, Refusal> {
    let mut packet = Packet::EMPTY;
    Ok(match parse_whole(bytes, &mut packet)? {
        Kind::Ip | Kind::Chain => Frame::Ip(packet),
        Kind::Arp => Frame::Arp,
        Kind::Link => Frame::Link,
    })
}

/// Reads a frame with all of its headers into `packet`; the answer is never [`Kind::Chain`].
pub fn parse_whole<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    match parse_into(bytes, packet)? {
        Kind::Chain => parse_chain(bytes, packet),
        kind => Ok(kind),
    }
}

/// Reads a frame that starts with its Ethernet header into `packet`, which is whole when the answer is
/// [`Kind::Ip`]; its VLANs, its sender and where the network header begins are known of every frame but one that
/// is cut short or tagged too deeply.
#[inline(always)]
pub fn parse_into<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    let ethernet = bytes.header::<ETHERNET>(0).ok_or(Refusal::Malformed)?;
    let [_, _, _, _, _, _, source @ .., high, low] = ethernet;
    packet.source_mac = Mac::new(source);
    let mut vlans = Vlans::NONE;
    let mut kind = u16::from_be_bytes([high, low]);
    let mut offset = ETHERNET;
    let mut tags = 0;
    if let Some(tag) = bytes.stripped_tag() {
        vlans.enter(tag);
        tags = 1;
    }
    for _ in 0..limits::VLAN_TAGS {
        if !is_tag(kind) || tags >= limits::VLAN_TAGS {
            break;
        }
        let tag = bytes.header::<4>(offset).ok_or(Refusal::Malformed)?;
        vlans.enter(u16::from_be_bytes([tag[0], tag[1]]));
        kind = u16::from_be_bytes([tag[2], tag[3]]);
        offset += 4;
        tags += 1;
    }
    packet.vlans = vlans;
    packet.network = offset;
    match kind {
        ether_type::IPV4 => ipv4::read(bytes, packet),
        ether_type::IPV6 => ipv6::read(bytes, packet),
        ether_type::ARP => Ok(Kind::Arp),
        ether_type::EAPOL | ether_type::LLDP => Ok(Kind::Link),
        kind if is_tag(kind) => Err(Refusal::TooDeep),
        kind => other(bytes, &ethernet, kind, offset),
    }
}

/// Spanning tree and link aggregation are spoken between neighbours, to addresses that no bridge forwards (IEEE
/// 802.1Q-2022 table 8-1): they keep the network together and carry no host's traffic.
#[inline(always)]
fn other<B: Bytes + ?Sized>(
    bytes: &B,
    ethernet: &[u8; ETHERNET],
    kind: u16,
    offset: usize,
) -> Result<Kind, Refusal> {
    let to_neighbour = matches!(ethernet, [0x01, 0x80, 0xc2, 0, 0, 0..=0x0f, ..]);
    if kind <= ether_type::LONGEST_LENGTH {
        let length = usize::from(kind);
        if offset + length > bytes.length() {
            return Err(Refusal::Malformed);
        }
        let is_spanning_tree =
            length >= SPANNING_TREE.len() && bytes.header(offset) == Some(SPANNING_TREE);
        return if to_neighbour && is_spanning_tree {
            Ok(Kind::Link)
        } else {
            Err(Refusal::NotIp)
        };
    }
    match kind {
        ..ether_type::FIRST => Err(Refusal::Malformed),
        ether_type::SLOW_PROTOCOLS if to_neighbour => Ok(Kind::Link),
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
