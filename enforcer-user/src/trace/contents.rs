//! What is in a packet, as far as it was captured.

use std::cell::Cell;

use enforcer_common::packet::{Bytes, Frame, Refusal};

use super::capture::Packet;

/// What is in a packet.
pub(super) struct Contents {
    /// What the parser makes of it.
    pub frame: Result<Frame, Refusal>,
    /// Whether all that the parser asked for was captured.
    pub whole: bool,
}

/// A packet as it was captured: as long as it was on the wire, and with nothing to read behind the cut.
pub(super) struct Seen<'a> {
    bytes: &'a [u8],
    length: usize,
    missing: Cell<bool>,
}

impl<'a> Seen<'a> {
    pub fn of(packet: &'a Packet) -> Self {
        Self {
            bytes: &packet.bytes,
            length: packet.length,
            missing: Cell::new(false),
        }
    }

    /// Whether all that was asked for so far was captured.
    pub fn is_enough(&self) -> bool {
        !self.missing.get()
    }
}

impl Bytes for Seen<'_> {
    fn length(&self) -> usize {
        self.length
    }

    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let header = self.bytes.header(offset);
        if header.is_none() && offset + N <= self.length {
            self.missing.set(true);
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::packet;
    use proptest::prelude::*;

    use super::*;

    /// TCP over IPv4 with options, and UDP over IPv6 with an extension header, behind a VLAN tag.
    const FRAMES: [&[u8]; 2] = [
        &[
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 5, 0x08, 0, 0x46, 0, 0, 48, 0, 0, 0, 0, 64, 6, 0, 0,
            192, 0, 2, 10, 192, 0, 2, 99, 1, 1, 1, 1, 0, 80, 1, 187, 0, 0, 0, 1, 0, 0, 0, 1, 0x50,
            2, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7,
        ],
        &[
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 5, 0x81, 0, 0, 7, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 20,
            60, 64, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0x0d, 0xb8,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 17, 0, 1, 4, 0, 0, 0, 0, 0, 53, 0, 53, 0, 12, 0, 0,
            7, 7, 7, 7,
        ],
    ];

    fn odd_frame() -> impl Strategy<Value = Vec<u8>> {
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
        (prop::sample::select(&FRAMES[..]), changes).prop_map(|(frame, changes)| {
            let mut frame = frame.to_vec();
            for (at, byte) in changes {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
            frame
        })
    }

    fn packet(frame: &[u8], captured: usize) -> Packet {
        Packet {
            length: frame.len(),
            bytes: frame[..captured].to_vec(),
            ..Packet::default()
        }
    }

    fn parse(packet: &Packet) -> (Result<Frame, Refusal>, bool) {
        let seen = Seen::of(packet);
        (packet::parse(&seen), seen.is_enough())
    }

    proptest! {
        /// Whatever stood behind the cut: a packet with all that was asked for is what the whole one is.
        #[test]
        fn what_was_cut_does_not_matter_or_is_missed(frame in odd_frame(), cut: prop::sample::Index, rest: u8) {
            let cut = cut.index(frame.len() + 1);
            let (parsed, whole) = parse(&packet(&frame, cut));
            if whole {
                prop_assert_eq!(parsed, packet::parse(&frame[..]));
                let mut filled = frame.clone();
                filled[cut..].fill(rest);
                prop_assert_eq!(parsed, packet::parse(&filled[..]));
            }
        }

        #[test]
        fn nothing_is_missed_of_whole_packets(frame in odd_frame()) {
            let (parsed, whole) = parse(&packet(&frame, frame.len()));
            prop_assert!(whole);
            prop_assert_eq!(parsed, packet::parse(&frame[..]));
        }
    }

    #[test]
    fn the_frames_are_sound_and_few_bytes_of_them_are_needed() {
        for (frame, needed) in FRAMES.into_iter().zip([58, 74]) {
            assert!(
                matches!(packet::parse(frame), Ok(Frame::Ip(_))),
                "{frame:x?}"
            );
            let whole = |captured| parse(&packet(frame, captured)).1;
            assert!(whole(needed) && !whole(needed - 1), "{frame:x?}");
        }
    }
}
