//! Neighbour discovery (RFC 4861), with options.

use std::net::Ipv6Addr;

use rand::{Rng, RngExt, seq::IndexedRandom};

use super::{mac, seldom};

/// An ICMPv6 message about this target; its checksum is still to be written.
pub fn message(rng: &mut impl Rng, target: Ipv6Addr) -> Vec<u8> {
    let kind = rng.random_range(132..139_u8);
    let mut body = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    match kind {
        134 => body.extend([0; 8]),
        135 | 136 => body.extend(target.octets()),
        137 => {
            body.extend(target.octets());
            body.extend(target.octets());
        }
        _ => {}
    }
    let options = match rng.random_range(0..10) {
        0..3 => 0,
        3..8 => 1,
        8 => 2,
        _ => rng.random_range(3..11),
    };
    let same = mac(rng);
    for _ in 0..options {
        body.extend(option(rng, same));
    }
    if seldom(rng, 20) {
        body.truncate(rng.random_range(0..=body.len()));
    }
    body
}

fn option(rng: &mut impl Rng, same: [u8; 6]) -> Vec<u8> {
    let kind = *[1, 1, 2, 2, 3, 5, 14, 25, 200].choose(rng).expect("some");
    let units = match rng.random_range(0..20) {
        0 => 0,
        1 => 2,
        2 => rng.random(),
        _ => 1_u8,
    };
    let mut option = vec![kind, units];
    option.extend(if seldom(rng, 6) { mac(rng) } else { same });
    if units == 2 {
        option.resize(16, 0);
    }
    option
}
