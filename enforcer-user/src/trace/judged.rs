//! One frame through the program of a hook, and what it was judged.

use enforcer_common::{
    counter::Hook,
    decide::{self, Direction, Reason, Verdict},
    packet::Bytes,
    role::RoleId,
    seen::JudgedRow,
};

use super::offline::ROW;
use crate::datapath::{Bench, Datapath, DatapathError, Ran};

/// What a frame was judged.
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
    /// The zone of its host, where it has one.
    pub zone: Option<u32>,
}

/// Why nothing can be said of a frame.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The kernel side.
    #[error(transparent)]
    Datapath(#[from] DatapathError),
    /// What the program did and what it says of it do not fit.
    #[error(
        "the program for {hook} ended with {code}, which is not what it says that it judged; please report this, with \
         the packet"
    )]
    Contradiction {
        /// Where it judges.
        hook: &'static str,
        /// Its code.
        code: u32,
    },
}

/// Runs a program once; `None` when the kernel does not take the frame. The calling thread must be bound to the CPU.
pub(super) fn run(
    bench: &Bench,
    hook: Hook,
    cpu: usize,
    frame: &[u8],
) -> Result<Option<(Ran, Judged)>, JudgeError> {
    let Ok(ran) = bench.run(hook, frame, 1) else {
        return Ok(None);
    };
    let row = bench.judged(cpu)?;
    let contradiction = JudgeError::Contradiction {
        hook: Hook::ALL[hook as usize].1,
        code: ran.code,
    };
    match judged(row) {
        Some(judged) if passes(&judged) == (ran.code == pass_code(hook)) => Ok(Some((ran, judged))),
        _ => Err(contradiction),
    }
}

fn judged(row: JudgedRow) -> Option<Judged> {
    Some(Judged {
        verdict: row.verdict(),
        done: row.done(),
        reason: row.reason()?,
        role: row.role,
        monitored: row.monitored != 0,
        zone: (row.has_host != 0).then_some(row.zone),
    })
}

/// Whether a packet, rewritten or not, goes on.
fn passes(judged: &Judged) -> bool {
    judged.monitored || !matches!(judged.done, Verdict::Drop | Verdict::Reject)
}

/// `XDP_PASS` or `TC_ACT_UNSPEC`.
const fn pass_code(hook: Hook) -> u32 {
    match hook {
        Hook::Xdp => 2,
        Hook::TcIngress | Hook::TcEgress => u32::MAX,
    }
}

/// What the code that programs and user space share says of a frame.
pub(super) fn without_kernel<B: Bytes + ?Sized>(
    datapath: &Datapath,
    hook: Hook,
    frame: &B,
) -> Result<Judged, JudgeError> {
    let tables = datapath.live(ROW);
    let interface = tables
        .interface()
        .ok_or(DatapathError::Missing("INTERFACES"))?;
    let direction = match hook {
        Hook::Xdp | Hook::TcIngress => Direction::FromHost,
        Hook::TcEgress => Direction::ToHost,
    };
    let now = datapath.clock().now()?;
    let said = decide::judge_frame(frame, direction, &interface, &tables, now);
    Ok(Judged {
        verdict: said.judgement.verdict,
        done: said.judgement.verdict,
        reason: said.judgement.reason,
        role: said.judgement.role,
        monitored: said.judgement.monitored,
        zone: said.host.map(|(host, _)| host.zone),
    })
}
