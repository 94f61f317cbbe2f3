//! The datapath: judges every packet that a host sends (XDP) and every packet sent to it (TC).
//!
//! Each program reads as the path of a packet: parse, find the host's standing, judge, act, record.

#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
#![allow(
    missing_docs,
    reason = "generated entry points; the functions below them are documented"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "the macros of aya hand contexts over by value"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "lengths and numbers fit, and a checked cast leaves a panic that the verifier refuses"
)]

mod act;
#[expect(unsafe_code, reason = "the packet cursor")]
mod cursor;
mod lookup;
#[expect(unsafe_code, reason = "map rows")]
mod maps;
mod report;

use aya_ebpf::{
    bindings::{TC_ACT_OK, TC_ACT_SHOT, xdp_action},
    helpers::generated::{bpf_jiffies64, bpf_redirect},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};
use enforcer_common::{
    counter::Hook,
    decide::{self, Case, Direction, Judgement, Standing, Verdict},
    host::Host,
    packet::{self, Kind, Packet},
    settings::InterfaceRow,
};

use crate::{cursor::Cursor, lookup::Kernel};

/// Judges what hosts send.
#[xdp]
pub fn enforcer_xdp(context: XdpContext) -> u32 {
    let (Some(interface), Some(seen)) = (maps::interface(), maps::seen()) else {
        return xdp_action::XDP_ABORTED;
    };
    let now = jiffies();
    let cursor = Cursor::xdp(&context);
    let length = cursor.whole();
    judge(&cursor, Direction::FromHost, interface, seen, now);
    let done = act::on_xdp(&context, seen, interface);
    report::record(Hook::Xdp, seen, done, length, ingress(&context), now);
    #[cfg(feature = "log")]
    log_packet(&context, seen);
    if seen.judgement.monitored {
        return xdp_action::XDP_PASS;
    }
    match done {
        Verdict::Pass | Verdict::Redirect => xdp_action::XDP_PASS,
        Verdict::Reject if maps::redirects_replies() => redirect(ingress(&context)),
        Verdict::Reject => xdp_action::XDP_TX,
        Verdict::Drop => xdp_action::XDP_DROP,
    }
}

/// Judges what is sent to hosts.
#[classifier]
pub fn enforcer_tc_egress(mut context: TcContext) -> i32 {
    let (Some(interface), Some(seen)) = (maps::interface(), maps::seen()) else {
        return TC_ACT_SHOT;
    };
    let now = jiffies();
    let cursor = Cursor::tc(&context);
    let length = cursor.whole();
    judge(&cursor, Direction::ToHost, interface, seen, now);
    act::on_tc_egress(&mut context, seen, interface);
    let done = seen.judgement.verdict;
    report::record(Hook::TcEgress, seen, done, length, egress(&context), now);
    #[cfg(feature = "log")]
    log_packet(&context, seen);
    if seen.judgement.monitored || done == Verdict::Pass {
        TC_ACT_OK
    } else {
        TC_ACT_SHOT
    }
}

/// Writes the kernel's jiffies over the first eight bytes of the packet: how user space, through
/// `BPF_PROG_TEST_RUN`, reads the clock that the deadlines are compared with.
#[xdp]
pub fn enforcer_clock(context: XdpContext) -> u32 {
    match Cursor::xdp(&context).header_mut::<8>(0) {
        Some(bytes) => {
            *bytes = jiffies().to_ne_bytes();
            xdp_action::XDP_PASS
        }
        None => xdp_action::XDP_ABORTED,
    }
}

/// A frame and what was judged of it. It lies in a map, not on the stack: with all that is inlined the
/// 512 bytes there would not do.
pub struct Seen {
    /// Whether the frame carries IP, so that `host` and `packet` mean something.
    is_ip: bool,
    host: Host,
    packet: Packet,
    standing: Standing,
    judgement: Judgement,
}

impl Seen {
    /// Takes a judgement field by field. A copy in one piece would read eight bytes that were just
    /// written one by one, and the processor would wait for all of them to leave its store buffer.
    #[inline(always)]
    fn judge(&mut self, judgement: &Judgement) {
        self.judgement.verdict = judgement.verdict;
        self.judgement.reason = judgement.reason;
        self.judgement.role = judgement.role;
        self.judgement.monitored = judgement.monitored;
        self.judgement.ask = judgement.ask;
    }
}

#[inline(always)]
fn judge(
    cursor: &Cursor,
    direction: Direction,
    interface: &InterfaceRow,
    seen: &mut Seen,
    now: u64,
) {
    let kind = packet::parse_into(cursor, &mut seen.packet);
    seen.is_ip = kind == Ok(Kind::Ip);
    match kind {
        Ok(Kind::Ip) => {}
        Ok(Kind::Arp | Kind::Link) => {
            seen.judgement = decide::judge_link();
            return;
        }
        Err(refusal) => {
            seen.judgement = decide::judge_refusal(refusal, &Kernel);
            return;
        }
    }
    let address = match direction {
        Direction::FromHost => seen.packet.source,
        Direction::ToHost => seen.packet.destination,
    };
    seen.host = Host {
        zone: interface.zone,
        address,
    };
    lookup::standing(&seen.host, now, &mut seen.standing);
    let case = Case {
        packet: &seen.packet,
        direction,
        host: &seen.host,
        standing: &seen.standing,
        now,
    };
    seen.judge(&decide::judge(&case, &Kernel));
}

#[cfg(feature = "log")]
#[inline(always)]
fn log_packet<C: aya_ebpf::EbpfContext>(context: &C, seen: &Seen) {
    let Judgement {
        verdict,
        reason,
        role,
        ..
    } = seen.judgement;
    let (verdict, reason) = (verdict as u8, reason as u8);
    let [word] = [u32::from_be_bytes(seen.host.address.last_bytes())];
    aya_log_ebpf::debug!(
        context,
        "host …{:x} role {} verdict {} reason {}",
        word,
        role.0,
        verdict,
        reason
    );
}

#[inline(always)]
#[expect(unsafe_code, reason = "a helper call")]
fn jiffies() -> u64 {
    // SAFETY: the helper takes no argument and touches no memory (bpf-helpers(7)).
    unsafe { bpf_jiffies64() }
}

#[inline(always)]
#[expect(unsafe_code, reason = "a helper call")]
fn redirect(interface: u32) -> u32 {
    // SAFETY: the helper takes numbers and touches no memory of ours (bpf-helpers(7)).
    unsafe { bpf_redirect(interface, 0) as u32 }
}

#[inline(always)]
#[expect(unsafe_code, reason = "a field of the context")]
fn ingress(context: &XdpContext) -> u32 {
    // SAFETY: the kernel passes a valid `xdp_md`, and the verifier checks the access.
    unsafe { (*context.ctx).ingress_ifindex }
}

#[inline(always)]
#[expect(unsafe_code, reason = "a field of the context")]
fn egress(context: &TcContext) -> u32 {
    // SAFETY: the kernel passes a valid `__sk_buff`, and the verifier checks the access.
    unsafe { (*context.skb.skb).ifindex }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[expect(unsafe_code, reason = "a symbol that the loader looks for")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
