//! What neighbours say to each other.

use std::net::{IpAddr, Ipv6Addr};

use super::alter::hops;
use crate::fixture::{self, HOST_MAC};

/// The IPv4 broadcast.
pub(super) fn everybody() -> IpAddr {
    [255; 4].into()
}

/// An address that no router forwards, of many.
pub(super) fn link_many(last: u16) -> IpAddr {
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, last).into()
}

/// A link-local address.
pub(super) fn link_local(last: u16) -> IpAddr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last).into()
}

/// Who has no address yet.
pub(super) fn nobody() -> IpAddr {
    Ipv6Addr::UNSPECIFIED.into()
}

/// The MAC address that nobody has.
pub(super) const NO_MAC: [u8; 6] = [0; 6];
/// To all on the link.
pub(super) const ALL_MACS: [u8; 6] = [0xff; 6];

/// Kinds of neighbour discovery (RFC 4861).
pub(super) const ROUTER_SOLICITATION: u8 = 133;
pub(super) const ROUTER_ADVERTISEMENT: u8 = 134;
pub(super) const SOLICITATION: u8 = 135;
pub(super) const ADVERTISEMENT: u8 = 136;
pub(super) const REDIRECT: u8 = 137;

/// An option with the source's MAC address.
pub(super) fn source(mac: [u8; 6]) -> Vec<u8> {
    [&[1, 1], &mac[..]].concat()
}

/// An option with the target's MAC address.
pub(super) fn target(mac: [u8; 6]) -> Vec<u8> {
    [&[2, 1], &mac[..]].concat()
}

/// A message of this kind about an address, with these options; its hop limit is 255.
pub(super) fn discovery(
    kind: u8,
    (from, to): (IpAddr, IpAddr),
    about: IpAddr,
    options: &[u8],
) -> Vec<u8> {
    let IpAddr::V6(about) = about else {
        panic!("neighbour discovery knows no {about}");
    };
    let head = [kind, 0, 0, 0, 0, 0, 0, 0];
    let body = match kind {
        ROUTER_ADVERTISEMENT => vec![0; 8],
        SOLICITATION | ADVERTISEMENT => about.octets().to_vec(),
        REDIRECT => [about.octets(), about.octets()].concat(),
        _ => Vec::new(),
    };
    let message = [&head[..], &body, options].concat();
    hops(255, fixture::raw(from, to, 58, &message))
}

/// The first bytes of a spanning tree message (IEEE 802.1Q): LLC, and a configuration.
const BPDU: [u8; 7] = [0x42, 0x42, 3, 0, 0, 0, 0];
/// SNAP (RFC 1042), with the type of IPv4.
const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

/// An address that no bridge forwards.
pub(super) fn bridges(last: u8) -> [u8; 6] {
    [1, 0x80, 0xc2, 0, 0, last]
}

/// A frame of 802.3 with this length in its header.
pub(super) fn llc(to: [u8; 6], length: u16, payload: &[u8]) -> Vec<u8> {
    super::alter::padded([&to[..], &HOST_MAC, &length.to_be_bytes(), payload].concat())
}

/// A spanning tree message.
pub(super) fn bpdu(to: [u8; 6]) -> Vec<u8> {
    llc(to, 38, &[&BPDU[..], &[0; 31]].concat())
}

/// An IP packet in 802.3.
pub(super) fn snap(to: [u8; 6], frame: &[u8]) -> Vec<u8> {
    let payload = [&SNAP[..], &frame[14..]].concat();
    llc(
        to,
        u16::try_from(payload.len()).expect("a short packet"),
        &payload,
    )
}

/// A frame of this type, as long as Ethernet wants it.
pub(super) fn of_type(kind: u16) -> Vec<u8> {
    fixture::frame(kind, &[1; 46])
}

/// A ports header as UDP and SCTP have it, and some more bytes.
pub(super) fn ports(from: u16, to: u16) -> Vec<u8> {
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &[0; 12]].concat()
}
