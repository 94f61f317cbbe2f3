//! A frame as an independent library reads it.
//!
//! [`read`] takes every field from the library's own slices, and says what our parser is to say of the frame. Where that
//! is not what the library says of the whole packet, the reading names the [`Rule`] that sets them apart; where it names
//! none, [`whole::check`] holds the reading against the library's of the whole packet, so that the two cannot err alike.

pub mod claim;
mod network;
mod rule;
mod upper;
pub mod whole;

pub use rule::{Rule, Rules};

use std::{fmt, net::IpAddr};

use etherparse::{Ethernet2Slice, SingleVlanSlice, ether_type};

use enforcer_common::packet::{Kind, Part, Refusal, Transport, Vlans};

/// What a frame is.
#[derive(Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Its kind, or why it is refused; never [`Kind::Chain`].
    pub kind: Result<Kind, Refusal>,
    /// The MAC addresses, destination and source.
    pub macs: ([u8; 6], [u8; 6]),
    /// Its VLANs.
    pub vlans: Vlans,
    /// What stands behind the link header, whatever it is.
    pub network: &'a [u8],
    /// The packet, where there is one.
    pub packet: Option<Packet<'a>>,
    /// What sets this apart from the library's reading of the whole packet.
    pub rules: Rules,
}

/// An IP packet.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The sender.
    pub source: IpAddr,
    /// The receiver.
    pub destination: IpAddr,
    /// Time to live or hop limit.
    pub hop_limit: u8,
    /// The upper-layer protocol.
    pub protocol: u8,
    /// Whether it may name further stations: it has IPv4 options, or a routing header with segments left.
    pub goes_on: bool,
    /// Which part of a packet it is.
    pub part: Part,
    /// The number that its fragments share, where it has one.
    pub fragment_id: Option<u32>,
    /// What decides in the transport header.
    pub transport: Transport,
    /// All that is carried behind the headers of IP.
    pub body: &'a [u8],
}

// Bytes are printed with the frame.
impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            macs,
            vlans,
            network,
            packet,
            rules,
        } = self;
        write!(
            f,
            "{kind:?}, macs {macs:02x?}, {vlans:?}, {} bytes in it, {packet:?}, {rules:?}",
            network.len()
        )
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            destination,
            hop_limit,
            protocol,
            goes_on,
            part,
            fragment_id,
            transport,
            body,
        } = self;
        write!(
            f,
            "{source} to {destination}, {hop_limit} hops, protocol {protocol}, {part:?} {fragment_id:?}, "
        )?;
        let stations = if *goes_on { ", further stations" } else { "" };
        write!(f, "{transport:?} in {} bytes{stations}", body.len())
    }
}

/// Tags that are read at most.
const TAGS: usize = 2;

/// Reads a frame.
pub fn read(frame: &[u8]) -> Reading<'_> {
    let mut reading = Reading {
        kind: Err(Refusal::Malformed),
        macs: ([0; 6], [0; 6]),
        vlans: Vlans::NONE,
        network: &[],
        packet: None,
        rules: Rules::default(),
    };
    reading.kind = link(frame, &mut reading);
    reading
}

fn link<'a>(frame: &'a [u8], reading: &mut Reading<'a>) -> Result<Kind, Refusal> {
    let ethernet = Ethernet2Slice::from_slice_without_fcs(frame).map_err(|_| Refusal::Malformed)?;
    reading.macs = (ethernet.destination(), ethernet.source());
    let mut rest = ethernet.payload();
    let mut vlans = Vec::new();
    for tags in 0.. {
        if !is_tag(rest.ether_type) {
            break;
        }
        if tags == TAGS {
            reading.rules.add(Rule::ThirdTag);
            return Err(Refusal::TooDeep);
        }
        let tag = SingleVlanSlice::from_slice(rest.payload).map_err(|_| Refusal::Malformed)?;
        // Priority tags are of no VLAN.
        vlans.extend(Some(tag.vlan_identifier().value()).filter(|vlan| *vlan != 0));
        rest = tag.payload();
    }
    reading.vlans = Vlans {
        outer: vlans.first().copied().unwrap_or(0),
        inner: vlans.get(1).copied().unwrap_or(0),
    };
    reading.network = rest.payload;
    match rest.ether_type {
        ether_type::IPV4 => network::v4(reading),
        ether_type::IPV6 => network::v6(reading),
        ether_type::ARP => {
            reading.rules.add(Rule::Arp);
            Ok(Kind::Arp)
        }
        kind => {
            reading.rules.add(Rule::OtherType);
            other(kind.0, reading)
        }
    }
}

fn is_tag(kind: etherparse::EtherType) -> bool {
    matches!(
        kind,
        ether_type::VLAN_TAGGED_FRAME
            | ether_type::PROVIDER_BRIDGING
            | ether_type::VLAN_DOUBLE_TAGGED_FRAME
    )
}

/// Types that carry no IP: the library reads none of them but one, and knows no lengths (IEEE 802.3-2022 section 3.2.6).
fn other(kind: u16, reading: &Reading<'_>) -> Result<Kind, Refusal> {
    let to = reading.macs.0;
    // IEEE 802.1Q-2022 table 8-1: addresses that no bridge forwards.
    let near = to[..5] == [0x01, 0x80, 0xc2, 0, 0] && to[5] < 0x10;
    match kind {
        0x888e | 0x88cc => Ok(Kind::Link),
        0x8809 if near => Ok(Kind::Link),
        0..=1500 if usize::from(kind) > reading.network.len() => Err(Refusal::Malformed),
        // Spanning tree, by its LLC header: other LLC, as SNAP, may carry anything.
        3..=1500 if near && reading.network.starts_with(&[0x42, 0x42, 3]) => Ok(Kind::Link),
        1501..0x600 => Err(Refusal::Malformed),
        _ => Err(Refusal::NotIp),
    }
}
