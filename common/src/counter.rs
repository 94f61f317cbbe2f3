//! Counters of packets and bytes by hook, outcome and reason.

use bytemuck::{Pod, Zeroable};

use crate::decide::{Judgement, Reason, Verdict};

/// Row of `COUNTERS`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Counter {
    /// Packets.
    pub packets: u64,
    /// Bytes, with link headers.
    pub bytes: u64,
}

/// Where a packet was judged.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// XDP, on ingress.
    Xdp = 0,
    /// TC, on ingress.
    TcIngress = 1,
    /// TC, on egress.
    TcEgress = 2,
}

impl Hook {
    /// Every hook with the word for it, in the order of their numbers.
    pub const ALL: [(Self, &str); 3] = [
        (Self::Xdp, "xdp"),
        (Self::TcIngress, "tc_ingress"),
        (Self::TcEgress, "tc_egress"),
    ];
}

/// What became of a packet: a verdict carried out, or a stop that monitor mode let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The verdict was carried out.
    Done(Verdict),
    /// The packet passed although it would have been stopped.
    WouldStop,
}

impl Outcome {
    /// Every outcome with the word for it, in the order of their rows.
    pub const ALL: [(Self, &str); 6] = [
        (Self::Done(Verdict::Pass), "pass"),
        (Self::Done(Verdict::Drop), "drop"),
        (Self::Done(Verdict::Reject), "reject"),
        (Self::Done(Verdict::Redirect), "redirect"),
        (Self::Done(Verdict::Close), "close"),
        (Self::WouldStop, "would_stop"),
    ];

    /// The outcome of a judgement.
    #[inline(always)]
    pub fn of(judgement: &Judgement) -> Self {
        if judgement.monitored {
            Self::WouldStop
        } else {
            Self::Done(judgement.verdict)
        }
    }

    #[inline(always)]
    const fn number(self) -> u32 {
        match self {
            Self::Done(verdict) => verdict as u32,
            Self::WouldStop => 5,
        }
    }
}

const HOOKS: u32 = 3;
const OUTCOMES: u32 = 6;
const REASONS: u32 = 21;
const _: () = assert!(
    Hook::ALL.len() == HOOKS as usize
        && Outcome::ALL.len() == OUTCOMES as usize
        && Reason::ALL.len() == REASONS as usize
);

/// Rows of `COUNTERS` that hold packets; behind them stands one row for events that were lost.
pub const ROWS: u32 = HOOKS * OUTCOMES * REASONS;

/// The row that counts events which found the ring full.
pub const LOST_EVENTS: u32 = ROWS;

/// The row for packets of this hook, outcome and reason.
#[inline(always)]
pub const fn row(hook: Hook, outcome: Outcome, reason: Reason) -> u32 {
    row_by_number(hook, outcome, reason as u8)
}

/// The same, by the number of the reason.
#[inline(always)]
pub const fn row_by_number(hook: Hook, outcome: Outcome, reason: u8) -> u32 {
    hook as u32 * OUTCOMES * REASONS + within_hook(outcome, reason)
}

/// The place of a row behind the first of its hook.
#[inline(always)]
pub const fn within_hook(outcome: Outcome, reason: u8) -> u32 {
    outcome.number() * REASONS + reason as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_a_row_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for (hook, _) in Hook::ALL {
            for (outcome, _) in Outcome::ALL {
                for &(reason, _) in Reason::ALL {
                    assert!(seen.insert(row(hook, outcome, reason)));
                }
            }
        }
        assert_eq!(seen.len(), ROWS as usize);
        assert!(!seen.contains(&LOST_EVENTS));
    }
}
