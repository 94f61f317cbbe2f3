//! From a packet of a capture to what the datapath makes of it.

use std::{cell::Cell, ops::Range};

use enforcer_common::{
    counter::Hook,
    decide::{Reason, Verdict},
    packet::{self, Bytes, Frame, Refusal},
};
use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};

use super::{
    capture::Packet,
    judged::{JudgeError, Judged, Runs},
};
use crate::datapath::{Bench, Datapath};

/// A test run takes no less than an Ethernet header (`bpf_test_init` in the kernel).
const LEAST: usize = 14;

/// Between these lies the longest frame that a test run takes: at least part of a page, and at most 17 pages
/// behind that one.
const LONGEST: Range<usize> = 64..1 << 17;

/// What became of a packet.
pub(super) enum Fate {
    /// It was judged.
    Judged {
        judged: Judged,
        /// What would be sent, where that is not the packet as it came.
        sent: Option<Sent>,
        /// What else there is to know.
        note: Option<Note>,
    },
    /// It was not, and nothing is said of it.
    Unjudged(Unjudged),
}

/// A packet as it would be sent.
pub(super) struct Sent {
    /// Its bytes, as far as they are known.
    pub bytes: Vec<u8>,
    /// How long it is.
    pub length: usize,
}

/// What else there is to know of a packet that was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Note {
    /// The kernel did not judge it.
    #[error("too short for a test run: judged by the same code outside the kernel")]
    Short,
    /// It was not captured whole.
    #[error("cut to {captured} of {length} bytes, with all that is judged by")]
    Cut {
        /// Captured bytes.
        captured: usize,
        /// All bytes.
        length: usize,
    },
}

/// Why nothing is said of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unjudged {
    /// Its headers were not captured.
    #[error("cut to {captured} of {length} bytes, within its headers")]
    Cut {
        /// Captured bytes.
        captured: usize,
        /// All bytes.
        length: usize,
    },
    /// No test run takes it.
    #[error("{length} bytes are more than the {most} of a test run")]
    TooLarge {
        /// All bytes.
        length: usize,
        /// The most that a test run takes.
        most: usize,
    },
    /// No test run takes it, and the kernel does not say why.
    #[error("the kernel takes no such frame for a test run")]
    Refused,
}

impl Unjudged {
    /// The word for it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Cut { .. } => "cut",
            Self::TooLarge { .. } => "too_large",
            Self::Refused => "refused",
        }
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Cut { .. } => "capture whole packets (`tcpdump -s 0`)",
            Self::TooLarge { .. } => {
                "capture where segments are not joined (`ethtool -K DEVICE gro off gso off tso off`)"
            }
            Self::Refused => "take it out of the capture to have all others judged",
        }
    }
}

/// Judges packets.
pub(super) struct Judge {
    runs: Runs,
    /// The longest frame that the program sees whole.
    most: usize,
    /// A packet that was cut, filled up.
    filled: Vec<u8>,
}

impl Judge {
    /// Takes the programs and finds out what the kernel takes.
    pub fn new(
        datapath: Datapath,
        bench: Bench,
        hook: Hook,
        zone: u32,
    ) -> Result<Self, JudgeError> {
        stay_here();
        let mut runs = Runs::new(datapath, bench, hook, zone)?;
        let most = most(&mut runs)?;
        Ok(Self {
            runs,
            most,
            filled: Vec::new(),
        })
    }

    /// What is in a packet, as far as it was captured.
    pub fn contents(packet: &Packet) -> Contents {
        let seen = Seen {
            bytes: &packet.bytes,
            length: packet.length,
            missing: Cell::new(false),
        };
        let frame = packet::parse(&seen);
        Contents {
            frame,
            whole: !seen.missing.get(),
        }
    }

    /// Runs the program on a packet.
    pub fn judge(&mut self, packet: &Packet, contents: &Contents) -> Result<Fate, JudgeError> {
        let (captured, length) = (packet.bytes.len(), packet.length);
        if !contents.whole {
            return Ok(Fate::Unjudged(Unjudged::Cut { captured, length }));
        }
        if length > self.most {
            let most = self.most;
            return Ok(Fate::Unjudged(Unjudged::TooLarge { length, most }));
        }
        if length < LEAST {
            return self.without_kernel(contents);
        }
        let frame = if packet.is_cut() {
            self.filled.clear();
            self.filled.extend_from_slice(&packet.bytes);
            // What the program does not read may be anything.
            self.filled.resize(length, 0);
            &self.filled
        } else {
            &packet.bytes
        };
        let Some((ran, judged)) = self.runs.run(frame, &contents.frame)? else {
            // Some hooks take no frame without a whole network header.
            return match contents.frame {
                Err(Refusal::Malformed) => self.without_kernel(contents),
                _ => Ok(Fate::Unjudged(Unjudged::Refused)),
            };
        };
        let note = packet.is_cut().then_some(Note::Cut { captured, length });
        let changed = ran.packet != *frame;
        let sent = sent(judged, changed, ran.packet, captured);
        Ok(Fate::Judged { judged, sent, note })
    }

    fn without_kernel(&self, contents: &Contents) -> Result<Fate, JudgeError> {
        Ok(Fate::Judged {
            judged: self.runs.without_kernel(&contents.frame)?,
            sent: None,
            note: Some(Note::Short),
        })
    }
}

/// What would be sent in the place of a packet, of which `captured` bytes are known: a reply, which is made
/// of its headers alone, or the packet itself, rewritten.
fn sent(judged: Judged, changed: bool, mut bytes: Vec<u8>, captured: usize) -> Option<Sent> {
    if judged.monitored || judged.done == Verdict::Drop || !changed {
        return None;
    }
    let length = bytes.len();
    if judged.done != Verdict::Reject {
        bytes.truncate(captured);
    }
    Some(Sent { bytes, length })
}

/// What is in a packet.
pub(super) struct Contents {
    /// What the parser makes of it.
    pub frame: Result<Frame, Refusal>,
    /// Whether all that the parser asked for was captured.
    pub whole: bool,
}

/// A packet as it was captured: as long as it was on the wire, and with nothing to read behind the cut.
struct Seen<'a> {
    bytes: &'a [u8],
    length: usize,
    missing: Cell<bool>,
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

/// Verdict caches belong to CPUs, and so does what a program leaves to be read after its run.
fn stay_here() {
    let mut here = CpuSet::new();
    let cpu = sched_getcpu().and_then(|cpu| here.set(cpu));
    // Only where that is forbidden; then the caches are colder.
    let _ = cpu.and_then(|()| sched_setaffinity(Pid::from_raw(0), &here));
}

/// The longest frame that the program sees whole: the kernel takes longer ones in pieces, or not at all.
fn most(runs: &mut Runs) -> Result<usize, JudgeError> {
    let Range {
        start: mut taken,
        end: mut beyond,
    } = LONGEST;
    while taken + 1 < beyond {
        let length = usize::midpoint(taken, beyond);
        if sees_whole(runs, length)? {
            taken = length;
        } else {
            beyond = length;
        }
    }
    Ok(taken)
}

/// Whether the program sees all of a frame of this length. The frame is sound, from and to nobody: whoever
/// sees a part of it calls it malformed.
fn sees_whole(runs: &mut Runs, length: usize) -> Result<bool, JudgeError> {
    let mut frame = vec![0; length];
    frame[12..16].copy_from_slice(&[0x08, 0x00, 0x45, 0x00]);
    // A length that does not fit is left at zero, as by segmentation offload ("BIG TCP").
    let inside = u16::try_from(length - LEAST).unwrap_or(0);
    frame[16..18].copy_from_slice(&inside.to_be_bytes());
    let contents = packet::parse(&frame[..]);
    let ran = runs.run(&frame, &contents)?;
    Ok(ran.is_some_and(|(_, judged)| judged.reason != Reason::Malformed))
}

#[cfg(test)]
mod tests {
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

    proptest! {
        /// Whatever stood behind the cut: a packet with all that was asked for is what the whole one is.
        #[test]
        fn what_was_cut_does_not_matter_or_is_missed(frame in odd_frame(), cut: prop::sample::Index, rest: u8) {
            let cut = cut.index(frame.len() + 1);
            let contents = Judge::contents(&packet(&frame, cut));
            if contents.whole {
                prop_assert_eq!(contents.frame, packet::parse(&frame[..]));
                let mut filled = frame.clone();
                filled[cut..].fill(rest);
                prop_assert_eq!(contents.frame, packet::parse(&filled[..]));
            }
        }

        #[test]
        fn nothing_is_missed_of_whole_packets(frame in odd_frame()) {
            let contents = Judge::contents(&packet(&frame, frame.len()));
            prop_assert!(contents.whole);
            prop_assert_eq!(contents.frame, packet::parse(&frame[..]));
        }
    }

    #[test]
    fn the_frames_are_sound_and_few_bytes_of_them_are_needed() {
        for (frame, needed) in FRAMES.into_iter().zip([58, 74]) {
            assert!(
                matches!(packet::parse(frame), Ok(Frame::Ip(_))),
                "{frame:x?}"
            );
            let whole = |captured| Judge::contents(&packet(frame, captured)).whole;
            assert!(whole(needed) && !whole(needed - 1), "{frame:x?}");
        }
    }
}
