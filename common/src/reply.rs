//! Replies that the datapath sends in its own name.
//!
//! Headers are written where they belong, in the packet: a kernel program has no stack to build them
//! on.

mod prohibited;
mod reset;

pub use prohibited::{ICMP, Prohibited};
pub use reset::{Checksum, Reset, TCP, checksum_of};

use crate::{
    checksum::Sum,
    host::{Address, Family},
};

/// Length of an IPv4 header without options.
pub const IPV4: usize = 20;
/// Length of an IPv6 header.
pub const IPV6: usize = 40;

const HOP_LIMIT: u8 = 64;
const DONT_FRAGMENT: u16 = 0x4000;

/// Length of the network header that replies of this family get.
#[inline(always)]
pub const fn network_length(family: Family) -> usize {
    match family {
        Family::V4 => IPV4,
        Family::V6 => IPV6,
    }
}

/// Writes the IPv4 header of a packet that carries `length` bytes of this protocol.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "replies are short")]
pub fn write_ipv4(
    out: &mut [u8; IPV4],
    source: &Address,
    destination: &Address,
    protocol: u8,
    length: usize,
) {
    let length = (IPV4 + length) as u16;
    let hops = u16::from_be_bytes([HOP_LIMIT, protocol]);
    let checksum = Sum::default()
        .add_word(0x4500)
        .add_word(length)
        .add_word(DONT_FRAGMENT)
        .add_word(hops)
        .add_bytes(source.last_bytes())
        .add_bytes(destination.last_bytes())
        .finish();
    out[0..2].copy_from_slice(&[0x45, 0]);
    out[2..4].copy_from_slice(&length.to_be_bytes());
    out[4..6].copy_from_slice(&[0, 0]);
    out[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
    out[8..10].copy_from_slice(&hops.to_be_bytes());
    out[10..12].copy_from_slice(&checksum.to_be_bytes());
    out[12..16].copy_from_slice(&source.last_bytes());
    out[16..20].copy_from_slice(&destination.last_bytes());
}

/// Writes the IPv6 header of a packet that carries `length` bytes of this protocol.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "replies are short")]
pub fn write_ipv6(
    out: &mut [u8; IPV6],
    source: &Address,
    destination: &Address,
    protocol: u8,
    length: usize,
) {
    out[0..4].copy_from_slice(&[0x60, 0, 0, 0]);
    out[4..6].copy_from_slice(&(length as u16).to_be_bytes());
    out[6..8].copy_from_slice(&[protocol, HOP_LIMIT]);
    out[8..24].copy_from_slice(&source.mapped());
    out[24..40].copy_from_slice(&destination.mapped());
}
