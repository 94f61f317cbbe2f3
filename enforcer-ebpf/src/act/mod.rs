//! Carrying out a verdict.

mod portal;
mod reject;

use aya_ebpf::programs::{TcContext, XdpContext};
use enforcer_common::{decide::Verdict, settings::InterfaceRow};

use crate::Seen;

/// Carries out what a judgement asks for, and says what was done: where the portal cannot take a
/// packet it is rejected, and where no reply can be made it is dropped. Nothing is changed when the
/// judgement is only counted.
#[inline(always)]
pub fn on_xdp(context: &XdpContext, seen: &Seen, interface: &InterfaceRow) -> Verdict {
    let verdict = seen.judgement.verdict;
    if seen.judgement.monitored || !seen.is_ip {
        return verdict;
    }
    match verdict {
        Verdict::Pass => {
            portal::forget_direct(seen, interface);
            Verdict::Pass
        }
        Verdict::Drop => Verdict::Drop,
        Verdict::Reject => reject::reset(context, &seen.packet),
        Verdict::Redirect => match portal::redirect(context, seen, interface) {
            Verdict::Reject => reject::reset(context, &seen.packet),
            done => done,
        },
    }
}

/// Undoes the portal's rewriting on replies.
#[inline(always)]
pub fn on_tc_egress(context: &mut TcContext, seen: &Seen, interface: &InterfaceRow) {
    if seen.is_ip && seen.judgement.verdict == Verdict::Pass {
        portal::restore(context, seen, interface);
    }
}
