//! Damage: bytes changed, moved, cut off.

use rand::{Rng, RngExt, seq::IndexedRandom};

/// Where the fields that decide stand in most frames: damage is done there more often than elsewhere.
const HEADERS: usize = 74;

/// Values at the edges of what fields mean.
const EDGES: [u8; 12] = [0, 1, 2, 4, 5, 6, 0x0f, 0x40, 0x45, 0x7f, 0x80, 0xff];

/// Does some damage; `other` is another frame, to take bytes from.
pub fn some(rng: &mut impl Rng, frame: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.random_range(1..4) {
        once(rng, frame, other);
    }
}

fn once(rng: &mut impl Rng, frame: &mut Vec<u8>, other: &[u8]) {
    if frame.is_empty() {
        return frame.extend_from_slice(other);
    }
    let at = place(rng, frame.len());
    match rng.random_range(0..16) {
        0..3 => frame[at] ^= 1 << rng.random_range(0..8),
        3..6 => frame[at] = *EDGES.choose(rng).expect("some"),
        6 => frame[at] = rng.random(),
        7 => frame[at] = frame[at].wrapping_add(1),
        8 => frame[at] = frame[at].wrapping_sub(1),
        9 => word(rng, frame, at),
        10 | 11 => frame.truncate(at),
        12 => {
            let end = (at + rng.random_range(1..9)).min(frame.len());
            frame.drain(at..end);
        }
        13 => {
            let added: Vec<u8> = (0..rng.random_range(1..9)).map(|_| rng.random()).collect();
            frame.splice(at..at, added);
        }
        14 => {
            let length = frame.len() + rng.random_range(1..40);
            frame.resize(length, 0);
        }
        _ => {
            let end = (at + rng.random_range(1..40))
                .min(frame.len())
                .min(other.len());
            if at < end {
                frame[at..end].copy_from_slice(&other[at..end]);
            }
        }
    }
}

fn place(rng: &mut impl Rng, length: usize) -> usize {
    let near = if rng.random_ratio(4, 5) {
        length.min(HEADERS)
    } else {
        length
    };
    rng.random_range(0..near)
}

/// A length or an offset at its edge.
fn word(rng: &mut impl Rng, frame: &mut [u8], at: usize) {
    let length = u16::try_from(frame.len()).unwrap_or(u16::MAX);
    let edges = [
        0,
        1,
        7,
        8,
        19,
        20,
        40,
        0x5dc,
        0x600,
        0x2000,
        0xffff,
        length,
        length.wrapping_sub(14),
    ];
    let value = *edges.choose(rng).expect("some");
    if let Some(field) = frame.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}
