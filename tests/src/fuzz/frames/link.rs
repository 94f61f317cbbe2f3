//! The link layer: addresses, tags, ARP, and what neighbours say to each other.

use rand::{Rng, RngExt, seq::IndexedRandom};

use super::{mac, seldom};
use crate::{fixture::GATEWAY_MAC, fuzz::site::Site};
use enforcer_common::host::Family;

const ARP: u16 = 0x0806;

/// A frame with this payload behind no tag, or some.
pub fn frame(rng: &mut impl Rng, kind: u16, payload: &[u8]) -> Vec<u8> {
    let to = match rng.random_range(0..20) {
        0..17 => GATEWAY_MAC,
        17 => [0xff; 6],
        18 => [0x33, 0x33, 0, 0, 0, 1],
        _ => rng.random(),
    };
    over(rng, to, kind, payload)
}

fn over(rng: &mut impl Rng, to: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [to, mac(rng)].concat();
    let tags = match rng.random_range(0..20) {
        0..12 => 0,
        12..17 => 1,
        17..19 => 2,
        _ => rng.random_range(3..5),
    };
    for _ in 0..tags {
        frame.extend(tag(rng));
    }
    frame.extend(kind.to_be_bytes());
    frame.extend(payload);
    if seldom(rng, 8) {
        let length = frame.len().max(60) + rng.random_range(0..4);
        frame.resize(length, rng.random());
    }
    frame
}

fn tag(rng: &mut impl Rng) -> [u8; 4] {
    let kind: u16 = *[0x8100, 0x8100, 0x8100, 0x88a8, 0x9100]
        .choose(rng)
        .expect("some");
    let vlan: u16 = *[0, 7, 7, 7, 7, 20, 20, 30].choose(rng).expect("some");
    let vlan = if seldom(rng, 20) { rng.random() } else { vlan };
    let vlan = if seldom(rng, 30) {
        *[1, 4095].choose(rng).expect("some")
    } else {
        vlan
    };
    let priority: u16 = if seldom(rng, 4) { rng.random() } else { 0 };
    let [a, b] = kind.to_be_bytes();
    let [c, d] = (vlan & 0x0fff | priority & 0xf000).to_be_bytes();
    [a, b, c, d]
}

/// ARP (RFC 826), mostly of Ethernet and IPv4.
pub fn arp(rng: &mut impl Rng, site: Site) -> Vec<u8> {
    let mut head = [0, 1, 8, 0, 6, 4, 0, 1];
    head[7] = rng.random_range(0..4);
    if seldom(rng, 10) {
        let at = rng.random_range(0..6);
        head[at] = rng.random();
    }
    let std::net::IpAddr::V4(sender) = site.address(rng, Family::V4) else {
        return Vec::new();
    };
    let mut body = head.to_vec();
    body.extend(mac(rng));
    body.extend(sender.octets());
    body.extend(mac(rng));
    body.extend(rng.random::<[u8; 4]>());
    frame(rng, ARP, &body)
}

/// EAPOL, LLDP, spanning tree, link aggregation, and other types that carry no IP.
pub fn neighbours(rng: &mut impl Rng) -> Vec<u8> {
    let kind: u16 = match rng.random_range(0..12) {
        0 => 0x888e,
        1 => 0x88cc,
        2 | 3 => 0x8809,
        4 | 5 => rng.random_range(0..64),
        6 => rng.random_range(1480..1560),
        7 => 0x88e5,
        8 => 0x8864,
        9 => 0x8847,
        10 => 0x8035,
        _ => rng.random(),
    };
    let last = *[0, 0, 1, 2, 3, 0xe, 0xf, 0x10, 0x20]
        .choose(rng)
        .expect("some");
    let to = if seldom(rng, 3) {
        GATEWAY_MAC
    } else {
        [0x01, 0x80, 0xc2, 0, 0, last]
    };
    let mut payload = vec![0; rng.random_range(0..80)];
    rng.fill(&mut payload[..]);
    if let Some(llc) = payload.get_mut(..3)
        && rng.random()
    {
        llc.copy_from_slice(&[0x42, 0x42, 3]);
    }
    over(rng, to, kind, &payload)
}
