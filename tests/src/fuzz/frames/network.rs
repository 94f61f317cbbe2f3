//! IPv4 and IPv6: options, fragments, chains of extension headers, and lengths that mostly fit.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::checksum::Sum16BitWords;
use rand::{Rng, RngExt, seq::IndexedRandom};

use super::seldom;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;

/// A packet with its Ethernet type.
pub fn any(
    rng: &mut impl Rng,
    ends: (IpAddr, IpAddr),
    hops: u8,
    protocol: u8,
    body: Vec<u8>,
) -> (u16, Vec<u8>) {
    match ends {
        (IpAddr::V4(from), IpAddr::V4(to)) => (IPV4, v4(rng, (from, to), hops, protocol, body)),
        (IpAddr::V6(from), IpAddr::V6(to)) => (IPV6, v6(rng, (from, to), hops, protocol, body)),
        _ => panic!("addresses of two families: {ends:?}"),
    }
}

/// Where a fragment begins, whether others follow, and their number.
struct Fragment {
    offset: u16,
    more: bool,
    number: u16,
}

fn fragment(rng: &mut impl Rng) -> Fragment {
    let offset = *[0, 0, 0, 1, 2, 3, 4, 100, 185, 8190, 0x1fff]
        .choose(rng)
        .expect("some");
    Fragment {
        offset,
        more: rng.random(),
        number: rng.random_range(1..4),
    }
}

/// Most senders cut between whole units.
fn cut(rng: &mut impl Rng, fragment: &Fragment, body: &mut Vec<u8>) {
    if fragment.more && !seldom(rng, 6) {
        body.truncate(body.len() & !7);
    }
}

/// A length field, which seldom lies.
fn length(rng: &mut impl Rng, length: usize) -> [u8; 2] {
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    let length = match rng.random_range(0..60) {
        0 => length.wrapping_add(1),
        1 => length.wrapping_sub(1),
        2 => 0,
        3 => rng.random(),
        4 => u16::MAX,
        5 => rng.random_range(0..=length),
        _ => length,
    };
    length.to_be_bytes()
}

fn v4(
    rng: &mut impl Rng,
    (from, to): (Ipv4Addr, Ipv4Addr),
    hops: u8,
    protocol: u8,
    mut body: Vec<u8>,
) -> Vec<u8> {
    let words = if seldom(rng, 8) {
        rng.random_range(1..=10_u8)
    } else {
        0
    };
    let mut field = if rng.random() { 0x4000 } else { 0 };
    let mut number: u16 = rng.random();
    if seldom(rng, 7) {
        let fragment = fragment(rng);
        cut(rng, &fragment, &mut body);
        field = fragment.offset | if fragment.more { 0x2000 } else { 0 };
        number = fragment.number;
    }
    let header = 20 + usize::from(words) * 4;
    let mut packet = vec![0x45 + words, 0];
    packet.extend(length(rng, header + body.len()));
    packet.extend(number.to_be_bytes());
    packet.extend(u16::to_be_bytes(field));
    packet.extend([hops, protocol, 0, 0]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.resize(header, 1);
    let sum = Sum16BitWords::new()
        .add_slice(&packet)
        .ones_complement()
        .to_be();
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(body);
    packet
}

fn v6(
    rng: &mut impl Rng,
    (from, to): (Ipv6Addr, Ipv6Addr),
    hops: u8,
    protocol: u8,
    body: Vec<u8>,
) -> Vec<u8> {
    let (first, body) = chained(rng, protocol, body);
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(length(rng, body.len()));
    packet.extend([first, hops]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend(body);
    packet
}

/// Extension headers of any kind before the body, the innermost made first.
fn chained(rng: &mut impl Rng, protocol: u8, mut body: Vec<u8>) -> (u8, Vec<u8>) {
    let headers = match rng.random_range(0..20) {
        0..12 => 0,
        12..17 => rng.random_range(1..4),
        17..19 => rng.random_range(7..10),
        _ => rng.random_range(4..12),
    };
    let mut next = protocol;
    for _ in 0..headers {
        let kind = *[
            0,
            43,
            FRAGMENT,
            FRAGMENT,
            AUTHENTICATION,
            60,
            60,
            135,
            139,
            140,
        ]
        .choose(rng)
        .expect("some");
        let header = if kind == FRAGMENT {
            let fragment = fragment(rng);
            cut(rng, &fragment, &mut body);
            let [high, low] = (fragment.offset << 3 | u16::from(fragment.more)).to_be_bytes();
            let [a, b] = fragment.number.to_be_bytes();
            vec![next, 0, high, low, 0, 0, a, b]
        } else {
            extension(rng, kind, next)
        };
        body.splice(0..0, header);
        next = kind;
    }
    (next, body)
}

fn extension(rng: &mut impl Rng, kind: u8, next: u8) -> Vec<u8> {
    let more = if seldom(rng, 4) {
        rng.random_range(0..4_u8)
    } else {
        0
    };
    let mut header = vec![next, more, 1, 4];
    let length = if kind == AUTHENTICATION {
        (usize::from(more) + 2) * 4
    } else {
        (usize::from(more) + 1) * 8
    };
    header.resize(length, 0);
    if seldom(rng, 30) {
        header[1] = rng.random();
    }
    header
}
