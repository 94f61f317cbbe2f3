//! One packet through the program of a hook, and what it was judged.

use enforcer_common::{
    counter::{self, Counter, Hook, Outcome},
    decide::{self, Case, Direction, Judgement, Reason, Verdict},
    host::Host,
    packet::{Frame, Refusal},
    role::RoleId,
};

use crate::datapath::{Bench, Datapath, DatapathError, Ran};

/// What a packet was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// What would happen to it in enforce mode.
    pub verdict: Verdict,
    /// What was done in the end, where that is not the verdict.
    pub done: Verdict,
    /// Why.
    pub reason: Reason,
    /// The role of its host.
    pub role: RoleId,
    /// Whether a stop was only counted.
    pub monitored: bool,
    /// The zone of its host.
    pub zone: u32,
}

/// Why a packet is not judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The kernel side.
    #[error(transparent)]
    Datapath(#[from] DatapathError),
    /// The program did not say.
    #[error("the kernel object has no program that judges at {0}")]
    NoProgram(&'static str),
}

/// The programs, with the counters that tell what they judged.
pub(super) struct Runs {
    datapath: Datapath,
    bench: Bench,
    hook: Hook,
    zone: u32,
    counters: Vec<Counter>,
}

impl Runs {
    pub fn new(
        datapath: Datapath,
        bench: Bench,
        hook: Hook,
        zone: u32,
    ) -> Result<Self, DatapathError> {
        let counters = datapath.counter_rows()?;
        Ok(Self {
            datapath,
            bench,
            hook,
            zone,
            counters,
        })
    }

    /// Runs the program once; `None` when the kernel does not take the frame.
    pub fn run(
        &mut self,
        frame: &[u8],
        contents: &Result<Frame, Refusal>,
    ) -> Result<Option<(Ran, Judged)>, JudgeError> {
        let shared = self.shared(contents)?;
        let Ok(ran) = self.bench.run(self.hook, frame, 1) else {
            return Ok(None);
        };
        let (outcome, reason) = self.counted()?;
        let judged = Judged {
            done: match outcome {
                Outcome::Done(done) => done,
                Outcome::WouldStop => shared.verdict,
            },
            reason,
            monitored: outcome == Outcome::WouldStop,
            ..self.judged(shared)
        };
        Ok(Some((ran, judged)))
    }

    /// What the code that the program shares with user space says.
    pub fn without_kernel(&self, contents: &Result<Frame, Refusal>) -> Result<Judged, JudgeError> {
        Ok(self.judged(self.shared(contents)?))
    }

    fn judged(&self, judgement: Judgement) -> Judged {
        Judged {
            verdict: judgement.verdict,
            done: judgement.verdict,
            reason: judgement.reason,
            role: judgement.role,
            monitored: judgement.monitored,
            zone: self.zone,
        }
    }

    fn shared(&self, contents: &Result<Frame, Refusal>) -> Result<Judgement, JudgeError> {
        let tables = self.datapath.live();
        let packet = match contents {
            Ok(Frame::Ip(packet)) => packet,
            Ok(Frame::Arp | Frame::Link) => return Ok(decide::judge_link()),
            Err(refusal) => return Ok(decide::judge_refusal(*refusal, &tables)),
        };
        let (direction, address) = if self.hook == Hook::TcEgress {
            (Direction::ToHost, packet.destination)
        } else {
            (Direction::FromHost, packet.source)
        };
        let host = Host {
            zone: self.zone,
            address,
        };
        let now = self.datapath.clock().now()?;
        let standing = decide::standing(&host, &tables, now);
        let case = Case {
            packet,
            direction,
            host: &host,
            standing: &standing,
            now,
        };
        Ok(decide::judge(&case, &tables))
    }

    /// What the last run counted.
    fn counted(&mut self) -> Result<(Outcome, Reason), JudgeError> {
        let before = std::mem::replace(&mut self.counters, self.datapath.counter_rows()?);
        let grown = |row: u32| {
            let row = row as usize;
            before[row] != self.counters[row]
        };
        let outcomes = Outcome::ALL.into_iter().map(|(outcome, _)| outcome);
        let mut pairs = outcomes.flat_map(|outcome| {
            let reasons = Reason::ALL.iter();
            reasons.map(move |(reason, _)| (outcome, *reason))
        });
        pairs
            .find(|(outcome, reason)| grown(counter::row(self.hook, *outcome, *reason)))
            .ok_or(JudgeError::NoProgram(Hook::ALL[self.hook as usize].1))
    }
}
