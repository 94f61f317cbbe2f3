//! From a packet of a capture to what the datapath makes of it.

use std::ops::Range;

use enforcer_common::{
    counter::Hook,
    decide::{Reason, Verdict},
    packet::{self, Frame},
    reply,
};
use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};

use super::{
    capture::Packet,
    contents::{Contents, Seen},
    judged::{self, JudgeError, Judged},
    offline::ROW,
};
use crate::datapath::{Bench, Datapath, DatapathError};

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
    datapath: Datapath,
    hook: Hook,
    /// The CPU that this thread is bound to.
    cpu: usize,
    /// The programs for frames in one piece.
    usual: Measured,
    /// Those for frames in several, loaded for the first frame that needs them.
    pieces: Option<Measured>,
    /// A packet that was cut, filled up.
    filled: Vec<u8>,
}

/// Programs, and the longest frame that they see whole.
struct Measured {
    bench: Bench,
    most: usize,
}

impl Judge {
    /// Takes the programs and finds out what the kernel takes. The thread stays on its CPU: the verdict cache is one for
    /// each, and so is what a program leaves to be read.
    pub fn new(datapath: Datapath, bench: Bench, hook: Hook) -> Result<Self, JudgeError> {
        let cpu = stay_here().map_err(DatapathError::Cpu)?;
        let usual = Measured::measure(bench, hook, cpu)?;
        Ok(Self {
            datapath,
            hook,
            cpu,
            usual,
            pieces: None,
            filled: Vec::new(),
        })
    }

    /// What is in a packet, as far as it was captured.
    pub fn contents(&self, packet: &Packet) -> Result<Contents, JudgeError> {
        let seen = Seen::of(packet);
        let frame = packet::parse(&seen);
        if packet.is_cut() {
            // Some packets are judged by more than their headers.
            judged::without_kernel(&self.datapath, self.hook, &seen)?;
        }
        let whole = seen.is_enough();
        Ok(Contents { frame, whole })
    }

    /// Runs the program on a packet.
    pub fn judge(&mut self, packet: &Packet, contents: &Contents) -> Result<Fate, JudgeError> {
        let (captured, length) = (packet.bytes.len(), packet.length);
        if !contents.whole {
            return Ok(Fate::Unjudged(Unjudged::Cut { captured, length }));
        }
        if length < LEAST {
            return self.without_kernel(packet);
        }
        let most = self.prepare(length)?;
        if length > most {
            return Ok(Fate::Unjudged(Unjudged::TooLarge { length, most }));
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
        let bench = match &self.pieces {
            Some(pieces) if length > self.usual.most => &pieces.bench,
            _ => &self.usual.bench,
        };
        let Some((ran, judged)) = judged::run(bench, self.hook, self.cpu, frame)? else {
            return self.refused(packet);
        };
        let note = packet.is_cut().then_some(Note::Cut { captured, length });
        let changed = ran.packet != *frame;
        let known = captured + grown(&judged, contents);
        let sent = changed.then(|| sent(&judged, ran.packet, known)).flatten();
        Ok(Fate::Judged { judged, sent, note })
    }

    /// The length of the longest frame that is taken, with the programs for a frame of this length at hand.
    fn prepare(&mut self, length: usize) -> Result<usize, JudgeError> {
        if length <= self.usual.most || self.hook != Hook::Xdp {
            return Ok(self.usual.most);
        }
        let pieces = match self.pieces.take() {
            Some(pieces) => pieces,
            None => Measured::measure(self.datapath.bench_in_pieces(ROW)?, self.hook, self.cpu)?,
        };
        Ok(self.pieces.insert(pieces).most)
    }

    /// At TC the kernel takes no frame without a whole IP header.
    fn refused(&self, packet: &Packet) -> Result<Fate, JudgeError> {
        match self.without_kernel(packet)? {
            Fate::Judged { judged, .. } if judged.reason != Reason::Malformed => {
                Ok(Fate::Unjudged(Unjudged::Refused))
            }
            fate => Ok(fate),
        }
    }

    fn without_kernel(&self, packet: &Packet) -> Result<Fate, JudgeError> {
        Ok(Fate::Judged {
            judged: judged::without_kernel(&self.datapath, self.hook, &packet.bytes[..])?,
            sent: None,
            note: Some(Note::Short),
        })
    }
}

impl Measured {
    /// Finds out which frames the programs see whole: the kernel takes longer ones in pieces, or not at all.
    fn measure(bench: Bench, hook: Hook, cpu: usize) -> Result<Self, JudgeError> {
        let Range {
            start: mut most,
            end: mut beyond,
        } = LONGEST;
        while most + 1 < beyond {
            let length = usize::midpoint(most, beyond);
            let ran = judged::run(&bench, hook, cpu, &sound_frame(length))?;
            if ran.is_some_and(|(_, judged)| judged.reason != Reason::Malformed) {
                most = length;
            } else {
                beyond = length;
            }
        }
        Ok(Self { bench, most })
    }
}

/// A frame of this length, from and to nobody. Who sees all of it finds nothing wrong, and who sees a part calls it
/// malformed.
fn sound_frame(length: usize) -> Vec<u8> {
    let mut frame = vec![0; length];
    frame[12..16].copy_from_slice(&[0x08, 0x00, 0x45, 0x00]);
    // A length that does not fit is left at zero, as by segmentation offload ("BIG TCP").
    let inside = u16::try_from(length - LEAST).unwrap_or(0);
    frame[16..18].copy_from_slice(&inside.to_be_bytes());
    frame
}

/// How much longer than the packet an ICMP error is that quotes all of it.
fn grown(judged: &Judged, contents: &Contents) -> usize {
    match &contents.frame {
        Ok(Frame::Ip(ip)) if judged.done == Verdict::Reject => {
            reply::network_length(ip.source.family()) + reply::ICMP
        }
        _ => 0,
    }
}

/// What would be sent in the place of a packet, of which `known` bytes are more than filling.
fn sent(judged: &Judged, mut bytes: Vec<u8>, known: usize) -> Option<Sent> {
    if judged.monitored || judged.done == Verdict::Drop {
        return None;
    }
    let length = bytes.len();
    bytes.truncate(known);
    Some(Sent { bytes, length })
}

/// Binds this thread to the CPU that it is on.
fn stay_here() -> nix::Result<usize> {
    let cpu = sched_getcpu()?;
    let mut here = CpuSet::new();
    here.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &here)?;
    Ok(cpu)
}
