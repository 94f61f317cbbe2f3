//! Carrying out verdicts: each is a program of its own, reached by a tail call from the one that decided.

mod close;
mod portal;
mod prohibited;
mod reset;
pub mod rewrite;

use enforcer_common::{
    bucket::Purpose,
    decide::{Direction, Verdict},
    packet::Transport,
    seen::Seen,
    settings::InterfaceRow,
};

use crate::{
    frame::{Frame, jiffies},
    maps::{self, Step},
    report,
};

pub use portal::forget_direct;

/// How a frame that is rejected is answered: TCP by a reset, also to the far end, the rest of the sender's by an ICMP
/// error.
#[inline(always)]
pub fn answer<F: Frame>(seen: &Seen) -> Step {
    match (F::WAY, seen.packet.transport_header()) {
        (Direction::ToHost, _) | (_, Transport::Tcp(..)) => Step::Reset,
        _ => Step::Prohibited,
    }
}

/// Tells the sender by a reset that its segment was stopped.
#[inline(always)]
pub fn reset<F: Frame>(frame: &F) -> i32 {
    carry_out(frame, |seen, _, now| {
        if !maps::take(Purpose::Reply, now) {
            return None;
        }
        reset::answer(frame, &seen.packet, false)?;
        Some(Verdict::Reject)
    })
}

/// Tells the sender by an ICMP error that its packet was stopped.
#[inline(always)]
pub fn prohibited<F: Frame>(frame: &F) -> i32 {
    carry_out(frame, |seen, interface, now| {
        if !maps::take(Purpose::Reply, now) {
            return None;
        }
        prohibited::answer(frame, &seen.packet, interface)?;
        Some(Verdict::Reject)
    })
}

/// Tells the far end of a flow that it is over, in the host's name.
#[inline(always)]
pub fn reset_far_end<F: Frame>(frame: &F) -> i32 {
    carry_out(frame, |seen, _, now| {
        if !maps::tells_far_ends() || !maps::take(Purpose::Reply, now) {
            return None;
        }
        reset::answer(frame, &seen.packet, true)?;
        Some(Verdict::Reject)
    })
}

/// Turns a segment into the reset that tells its far end that the flow is over.
#[inline(always)]
pub fn close<F: Frame>(frame: &F) -> i32 {
    carry_out(frame, |seen, _, now| {
        if !maps::take(Purpose::Reply, now) {
            return None;
        }
        close::instead(frame, seen)?;
        Some(Verdict::Close)
    })
}

/// Sends HTTP to the portal; a flow that was not opened to it is rejected.
#[inline(always)]
pub fn redirect<F: Frame>(frame: &F) -> i32 {
    carry_out(frame, |seen, interface, now| {
        let done = portal::redirect(frame, seen, interface, now)?;
        if done == Verdict::Reject {
            frame.go_on(answer::<F>(seen));
            return None;
        }
        Some(done)
    })
}

/// Gives a reply of the portal the address that the host connected to.
#[inline(always)]
pub fn restore<F: Frame>(frame: &F) -> i32 {
    let (Some(interface), Some(seen)) = (maps::interface(), maps::seen()) else {
        return F::DROP;
    };
    let length = frame.cursor().whole();
    // A reply that could not be rewritten whole is of no use to the host, and does no harm.
    let _ = portal::restore(frame, seen, interface, jiffies());
    report::count::<F>(Verdict::Pass, seen.judged.reason, length);
    F::PASS
}

/// Does what a verdict asks for and records what was done; where that cannot be done, the packet is dropped.
#[inline(always)]
fn carry_out<F: Frame>(
    frame: &F,
    act: impl FnOnce(&Seen, &InterfaceRow, u64) -> Option<Verdict>,
) -> i32 {
    let (Some(interface), Some(seen)) = (maps::interface(), maps::seen()) else {
        return F::DROP;
    };
    let now = jiffies();
    let length = frame.cursor().whole();
    let done = act(seen, interface, now).unwrap_or(Verdict::Drop);
    seen.judged.done = done as u8;
    report::About::new(frame, seen, now).record(done, length);
    frame.code(done)
}
