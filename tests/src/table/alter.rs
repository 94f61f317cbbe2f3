//! Packets made odd.

use std::net::IpAddr;

use crate::fixture;

/// Where the IP header of an untagged frame begins.
const NETWORK: usize = 14;
const IPV6: usize = 40;

/// The frame behind this many VLAN tags.
pub(super) fn tagged(tags: usize, mut frame: Vec<u8>) -> Vec<u8> {
    for _ in 0..tags {
        frame.splice(12..12, [0x81, 0, 0, 7]);
    }
    frame
}

/// The frame without its last bytes.
pub(super) fn cut(mut frame: Vec<u8>, bytes: usize) -> Vec<u8> {
    frame.truncate(frame.len() - bytes);
    frame
}

/// The frame filled up to the least that Ethernet carries.
pub(super) fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(60), 0);
    frame
}

/// The frame with one byte of its IP header replaced.
pub(super) fn lying(mut frame: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    frame[NETWORK + at] = value;
    frame
}

/// The IPv4 packet as the fragment at this offset, in units of eight bytes.
pub(super) fn fragment_v4(mut frame: Vec<u8>, offset: u16) -> Vec<u8> {
    let more = 0x2000;
    frame[NETWORK + 6..NETWORK + 8].copy_from_slice(&(more | offset).to_be_bytes());
    frame
}

/// The IPv6 packet as the fragment at this offset, in units of eight bytes.
pub(super) fn fragment_v6(frame: Vec<u8>, offset: u16) -> Vec<u8> {
    let [high, low] = (offset << 3 | 1).to_be_bytes();
    extended(frame, 44, [0, high, low, 0, 0, 0, 1])
}

/// The IPv6 packet with so many destination options before what it had.
pub(super) fn chained(mut frame: Vec<u8>, count: usize) -> Vec<u8> {
    for _ in 0..count {
        frame = extended(frame, 60, [0, 1, 4, 0, 0, 0, 0]);
    }
    frame
}

/// The IPv6 packet with another extension header of eight bytes in front.
fn extended(mut frame: Vec<u8>, kind: u8, rest: [u8; 7]) -> Vec<u8> {
    let next = std::mem::replace(&mut frame[NETWORK + 6], kind);
    let header = std::iter::once(next).chain(rest);
    frame.splice(NETWORK + IPV6..NETWORK + IPV6, header);
    let length = u16::try_from(frame.len() - NETWORK - IPV6).expect("a short packet");
    frame[NETWORK + 4..NETWORK + 6].copy_from_slice(&length.to_be_bytes());
    frame
}

/// A neighbour discovery or listener message of this type, hop limit 255.
pub(super) fn discovery(from: IpAddr, to: IpAddr, kind: u8) -> Vec<u8> {
    let frame = fixture::raw(from, to, 58, &[kind, 0, 0, 0, 0, 0, 0, 0]);
    lying(frame, 7, 255)
}
