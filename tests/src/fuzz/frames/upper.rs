//! What IP carries.

use std::net::IpAddr;

use etherparse::checksum::Sum16BitWords;
use rand::{Rng, RngExt, seq::IndexedRandom};

use super::seldom;
use crate::gate::PORTAL;

const PORTS: [u16; 16] = [
    0, 22, 53, 67, 68, 80, 80, 80, 443, 443, 546, 547, PORTAL, PORTAL, 40_000, 65_535,
];

/// A protocol and what it carries, between these addresses.
pub fn any(rng: &mut impl Rng, from: IpAddr, to: IpAddr) -> (u8, Vec<u8>) {
    match rng.random_range(0..20) {
        0..10 => (6, tcp(rng, from, to)),
        10..14 => (17, udp(rng, from, to)),
        14..17 => icmp(rng, from, to),
        17 => (132, datagram(rng)),
        _ => {
            let protocol = *[2, 4, 41, 47, 50, 51, 59, 89, 1, 58, 0, 135, 139, 255]
                .choose(rng)
                .expect("some");
            (protocol, payload(rng))
        }
    }
}

fn port(rng: &mut impl Rng) -> u16 {
    if seldom(rng, 12) {
        return rng.random();
    }
    *PORTS.choose(rng).expect("some ports")
}

fn payload(rng: &mut impl Rng) -> Vec<u8> {
    let length = match rng.random_range(0..40) {
        0..18 => 0,
        18..30 => rng.random_range(1..16),
        30..37 => rng.random_range(16..120),
        37..39 => rng.random_range(400..1500),
        _ => rng.random_range(1500..3000),
    };
    let mut payload = vec![0; length];
    let filled = length.min(32);
    rng.fill(&mut payload[..filled]);
    payload
}

fn tcp(rng: &mut impl Rng, from: IpAddr, to: IpAddr) -> Vec<u8> {
    let flags = match rng.random_range(0..20) {
        0..7 => 0x02,
        7 => 0x12,
        8..10 => 0x10,
        10..13 => 0x18,
        13 => 0x04,
        14 => 0x14,
        15 => 0x11,
        16 => 0x01,
        17 => 0xc2,
        _ => rng.random(),
    };
    let words = if seldom(rng, 5) {
        rng.random_range(5..=15_u8)
    } else {
        5
    };
    let mut segment = Vec::new();
    segment.extend(port(rng).to_be_bytes());
    segment.extend(port(rng).to_be_bytes());
    segment.extend(rng.random::<[u8; 8]>());
    segment.extend([words << 4, flags, 0xfa, 0, 0, 0, 0, 0]);
    segment.resize(usize::from(words) * 4, 1);
    if seldom(rng, 40) {
        segment[12] = rng.random();
    }
    segment.extend(payload(rng));
    summed(rng, from, to, 6, segment, 16)
}

fn udp(rng: &mut impl Rng, from: IpAddr, to: IpAddr) -> Vec<u8> {
    let ports = match rng.random_range(0..8) {
        0 => (68, 67),
        1 => (546, 547),
        2 => (67, 68),
        3 => (547, 546),
        _ => (port(rng), port(rng)),
    };
    let rest = payload(rng);
    let length = u16::try_from(8 + rest.len()).expect("short");
    let length = if seldom(rng, 20) {
        rng.random()
    } else {
        length
    };
    let mut datagram = Vec::new();
    for field in [ports.0, ports.1, length, 0] {
        datagram.extend(field.to_be_bytes());
    }
    datagram.extend(rest);
    summed(rng, from, to, 17, datagram, 6)
}

fn datagram(rng: &mut impl Rng) -> Vec<u8> {
    let mut datagram = [port(rng).to_be_bytes(), port(rng).to_be_bytes()].concat();
    datagram.extend(rng.random::<[u8; 8]>());
    datagram.extend(payload(rng));
    datagram
}

fn icmp(rng: &mut impl Rng, from: IpAddr, to: IpAddr) -> (u8, Vec<u8>) {
    // One in twelve is of the other family's protocol.
    let v4 = from.is_ipv4() != seldom(rng, 12);
    let kind = match (rng.random_range(0..10), v4) {
        (0..3, true) => 8,
        (3..8, true) => rng.random_range(0..19),
        (0..3, false) => 128,
        (3..5, false) => rng.random_range(0..5),
        (5..8, false) => rng.random_range(128..145),
        _ => rng.random(),
    };
    let mut message = vec![kind, 0, 0, 0];
    message.extend(rng.random::<[u8; 4]>());
    message.extend(payload(rng));
    let protocol = if v4 { 1 } else { 58 };
    (protocol, summed(rng, from, to, protocol, message, 2))
}

/// The body with its checksum at this place: seldom wrong, or the sum of the pseudo header alone, as it is left for
/// hardware to complete.
pub fn summed(
    rng: &mut impl Rng,
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    mut body: Vec<u8>,
    at: usize,
) -> Vec<u8> {
    let partial = seldom(rng, 25);
    let sum = match rng.random_range(0..25) {
        0 => rng.random(),
        _ if partial => !checksum(from, to, protocol, body.len(), &[]),
        _ => checksum(from, to, protocol, body.len(), &body),
    };
    if let Some(field) = body.get_mut(at..at + 2) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    body
}

/// The checksum (RFC 1071) of a body of this length, in host byte order; ICMP in IPv4 has no pseudo header.
pub fn checksum(from: IpAddr, to: IpAddr, protocol: u8, length: usize, body: &[u8]) -> u16 {
    let length = u32::try_from(length).expect("short").to_be_bytes();
    let sum = match (from, to) {
        (IpAddr::V4(_), IpAddr::V4(_)) if protocol == 1 => Sum16BitWords::new(),
        (IpAddr::V4(from), IpAddr::V4(to)) => Sum16BitWords::new()
            .add_4bytes(from.octets())
            .add_4bytes(to.octets()),
        (IpAddr::V6(from), IpAddr::V6(to)) => Sum16BitWords::new()
            .add_16bytes(from.octets())
            .add_16bytes(to.octets()),
        _ => panic!("addresses of two families"),
    };
    let sum = if protocol == 1 {
        sum
    } else {
        sum.clone().add_4bytes(length).add_2bytes([0, protocol])
    };
    sum.add_slice(body).ones_complement().to_be()
}
