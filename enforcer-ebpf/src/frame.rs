//! A frame at a hook: what the hooks have in common, and what each does its own way.

use aya_ebpf::{
    bindings::{BPF_F_INGRESS, TC_ACT_SHOT, TC_ACT_UNSPEC, xdp_action},
    helpers::generated::{
        bpf_jiffies64, bpf_redirect, bpf_skb_change_head, bpf_skb_change_tail, bpf_xdp_adjust_head,
        bpf_xdp_adjust_tail, bpf_xdp_get_buff_len,
    },
    programs::{TcContext, XdpContext},
};
use enforcer_common::{
    counter::Hook,
    decide::{Direction, Verdict},
};

#[cfg(feature = "log")]
use enforcer_common::seen::Seen;

use crate::{
    act::rewrite::{self, Rewrite},
    cursor::Cursor,
    maps::{self, Step},
};

/// A frame at a hook.
pub trait Frame {
    /// The hook.
    const HOOK: Hook;
    /// Which way its frames travel.
    const WAY: Direction;
    /// The code that lets a frame pass.
    const PASS: i32;
    /// The code that drops it.
    const DROP: i32;

    /// Access to its bytes.
    fn cursor(&self) -> Cursor;
    /// The interface, as the kernel numbers it.
    fn interface(&self) -> u32;
    /// Whether it is a reply of ours on its way out, which was judged before it was made.
    fn is_own_reply(&self) -> bool;
    /// Goes on to another program, and comes back only when that is not there.
    fn go_on(&self, step: Step);
    /// Makes room in front; what a cursor saw is void afterwards.
    fn grow(&self, bytes: usize) -> Option<()>;
    /// Cuts it to this length; what a cursor saw is void afterwards.
    fn cut(&self, from: usize, to: usize) -> Option<()>;
    /// Gives it another address and port.
    fn rewrite(&self, rewrite: &Rewrite) -> Option<()>;
    /// Tells what was judged, in development builds.
    #[cfg(feature = "log")]
    fn log(&self, seen: &Seen);
    /// The code that sends it, which is a reply by now, to where it came from.
    fn reply(&self) -> i32;

    /// The code that carries out what was done.
    #[inline(always)]
    fn code(&self, done: Verdict) -> i32 {
        match done {
            Verdict::Pass | Verdict::Redirect | Verdict::Close => Self::PASS,
            Verdict::Drop => Self::DROP,
            Verdict::Reject => self.reply(),
        }
    }
}

/// Tells what was judged of a frame.
#[cfg(feature = "log")]
macro_rules! log {
    ($context:expr, $seen:expr) => {
        aya_log_ebpf::debug!(
            $context,
            "host …{:x} role {} verdict {} reason {}",
            u32::from_be_bytes($seen.host.address.last_bytes()),
            $seen.judged.role.0,
            $seen.judged.verdict,
            $seen.judged.reason
        )
    };
}

/// A frame at the XDP hook; `FRAGS` when it may lie in several pieces.
pub struct Xdp<const FRAGS: bool>(XdpContext);

impl<const FRAGS: bool> Xdp<FRAGS> {
    #[inline(always)]
    pub fn new(context: XdpContext) -> Self {
        Self(context)
    }
}

impl<const FRAGS: bool> Frame for Xdp<FRAGS> {
    const HOOK: Hook = Hook::Xdp;
    const WAY: Direction = Direction::FromHost;
    const PASS: i32 = xdp_action::XDP_PASS as i32;
    const DROP: i32 = xdp_action::XDP_DROP as i32;

    #[inline(always)]
    fn cursor(&self) -> Cursor {
        let cursor = Cursor::xdp(&self.0);
        if !FRAGS {
            return cursor;
        }
        // SAFETY: the context is the kernel's own; the helper only reads it (bpf-helpers(7)).
        let whole = unsafe { bpf_xdp_get_buff_len(self.0.ctx) };
        cursor.of(whole as usize)
    }

    #[inline(always)]
    fn interface(&self) -> u32 {
        // SAFETY: the kernel passes a valid `xdp_md`, and the verifier checks the access.
        unsafe { (*self.0.ctx).ingress_ifindex }
    }

    #[inline(always)]
    fn is_own_reply(&self) -> bool {
        false
    }

    #[inline(always)]
    fn go_on(&self, step: Step) {
        maps::XDP_STEPS.go_on(&self.0, step);
    }

    #[inline(always)]
    fn grow(&self, bytes: usize) -> Option<()> {
        // SAFETY: as in `cut`.
        let error = unsafe { bpf_xdp_adjust_head(self.0.ctx, -(bytes as i32)) };
        (error == 0).then_some(())
    }

    #[inline(always)]
    fn cut(&self, from: usize, to: usize) -> Option<()> {
        let surplus = from.wrapping_sub(to);
        // SAFETY: the context is the kernel's own, and the call leaves no pointer into the packet that the verifier
        // would let through.
        let error = unsafe { bpf_xdp_adjust_tail(self.0.ctx, -(surplus as i32)) };
        (error == 0).then_some(())
    }

    #[inline(always)]
    fn rewrite(&self, rewrite: &Rewrite) -> Option<()> {
        rewrite::directly(&mut self.cursor(), rewrite)
    }

    #[cfg(feature = "log")]
    #[inline(always)]
    fn log(&self, seen: &Seen) {
        log!(&self.0, seen);
    }

    #[inline(always)]
    fn reply(&self) -> i32 {
        if maps::redirects_replies() {
            redirect(self.interface(), 0)
        } else {
            xdp_action::XDP_TX as i32
        }
    }
}

/// A frame at the TC hook on ingress.
pub struct Ingress(TcContext);

/// A frame at the TC hook on egress.
pub struct Egress(TcContext);

macro_rules! at_tc {
    ($frame:ident, $hook:expr, $way:expr, $steps:ident, $redirect:expr) => {
        impl $frame {
            #[inline(always)]
            pub fn new(context: TcContext) -> Self {
                Self(context)
            }
        }

        impl Frame for $frame {
            const HOOK: Hook = $hook;
            const WAY: Direction = $way;
            // Programs and filters of others behind this one are asked as well: the same number is `TCX_NEXT`.
            const PASS: i32 = TC_ACT_UNSPEC;
            const DROP: i32 = TC_ACT_SHOT as i32;

            #[inline(always)]
            fn cursor(&self) -> Cursor {
                Cursor::tc(&self.0)
            }

            #[inline(always)]
            fn interface(&self) -> u32 {
                // SAFETY: the kernel passes a valid `__sk_buff`, and the verifier checks the access.
                unsafe { (*self.0.skb.skb).ifindex }
            }

            #[inline(always)]
            fn is_own_reply(&self) -> bool {
                let mark = maps::reply_mark();
                // SAFETY: as in `interface`.
                if mark == 0 || unsafe { (*self.0.skb.skb).mark } != mark {
                    return false;
                }
                self.0.set_mark(0);
                true
            }

            #[inline(always)]
            fn go_on(&self, step: Step) {
                maps::$steps.go_on(&self.0, step);
            }

            #[inline(always)]
            fn grow(&self, bytes: usize) -> Option<()> {
                // SAFETY: as in `cut`.
                let error = unsafe { bpf_skb_change_head(self.0.skb.skb, bytes as u32, 0) };
                (error == 0).then_some(())
            }

            #[inline(always)]
            fn cut(&self, _from: usize, to: usize) -> Option<()> {
                // SAFETY: the context is the kernel's own, and the call leaves no pointer into the packet that the
                // verifier would let through.
                let error = unsafe { bpf_skb_change_tail(self.0.skb.skb, to as u32, 0) };
                (error == 0).then_some(())
            }

            #[inline(always)]
            fn rewrite(&self, rewrite: &Rewrite) -> Option<()> {
                rewrite::by_helpers(&self.0, rewrite).ok()
            }

            #[cfg(feature = "log")]
            #[inline(always)]
            fn log(&self, seen: &Seen) {
                log!(&self.0, seen);
            }

            #[inline(always)]
            fn reply(&self) -> i32 {
                let mark = maps::reply_mark();
                if mark != 0 {
                    self.0.set_mark(mark);
                }
                redirect(self.interface(), $redirect)
            }
        }
    };
}

at_tc!(
    Ingress,
    Hook::TcIngress,
    Direction::FromHost,
    TC_INGRESS_STEPS,
    0
);
at_tc!(
    Egress,
    Hook::TcEgress,
    Direction::ToHost,
    TC_EGRESS_STEPS,
    u64::from(BPF_F_INGRESS)
);

/// The kernel's time.
#[inline(always)]
pub fn jiffies() -> u64 {
    // SAFETY: the helper takes no argument and touches no memory (bpf-helpers(7)).
    unsafe { bpf_jiffies64() }
}

#[inline(always)]
fn redirect(interface: u32, flags: u64) -> i32 {
    // SAFETY: the helper takes numbers and touches no memory of ours (bpf-helpers(7)).
    unsafe { bpf_redirect(interface, flags) as i32 }
}
