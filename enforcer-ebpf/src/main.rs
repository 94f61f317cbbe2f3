//! The datapath: judges every packet that a host sends (XDP, or TC on ingress) and every packet sent to it (TC on
//! egress).
//!
//! Each hook has one program that takes a [`path::first_look`] and lets pass what needs no other; the rest goes on to
//! steps of their own, by tail calls: [`path::second_look`] decides, and `act` carries out. So the common case stays
//! small, and the verifier walks through each step alone.

#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
#![allow(
    missing_docs,
    reason = "generated entry points; the functions that they call are documented"
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
#[expect(unsafe_code, reason = "helper calls, and fields of the contexts")]
mod frame;
mod lookup;
#[expect(unsafe_code, reason = "map rows")]
mod maps;
mod path;
mod report;

use aya_ebpf::{
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::frame::{Egress, Ingress, Xdp, jiffies};

/// The programs of an XDP hook: with and without fragments, which the kernel keeps apart.
macro_rules! at_xdp {
    ($(#[$kind:meta])+ $frame:ty: $first:ident $chain:ident $claim:ident $second:ident $reset:ident $prohibited:ident $redirect:ident $close:ident
        $record:ident) => {
        $(#[$kind])+
        pub fn $first(context: XdpContext) -> u32 {
            path::first_look(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $chain(context: XdpContext) -> u32 {
            path::walk_chain(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $claim(context: XdpContext) -> u32 {
            path::read_claim(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $second(context: XdpContext) -> u32 {
            path::second_look(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $reset(context: XdpContext) -> u32 {
            act::reset(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $prohibited(context: XdpContext) -> u32 {
            act::prohibited(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $redirect(context: XdpContext) -> u32 {
            act::redirect(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $close(context: XdpContext) -> u32 {
            act::close(&<$frame>::new(context)) as u32
        }

        $(#[$kind])+
        pub fn $record(context: XdpContext) -> u32 {
            path::record(&<$frame>::new(context)) as u32
        }
    };
}

at_xdp!(
    #[xdp] Xdp<false>:
    enforcer_xdp enforcer_xdp_chain enforcer_xdp_claim enforcer_xdp_decide enforcer_xdp_reset enforcer_xdp_prohibited enforcer_xdp_redirect enforcer_xdp_close
    enforcer_xdp_record
);
at_xdp!(
    #[xdp(frags)] Xdp<true>:
    enforcer_xdp_frags enforcer_xdp_frags_chain enforcer_xdp_frags_claim enforcer_xdp_frags_decide enforcer_xdp_frags_reset enforcer_xdp_frags_prohibited enforcer_xdp_frags_redirect
    enforcer_xdp_frags_close enforcer_xdp_frags_record
);

#[classifier]
pub fn enforcer_tc_ingress(context: TcContext) -> i32 {
    path::first_look(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_claim(context: TcContext) -> i32 {
    path::read_claim(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_decide(context: TcContext) -> i32 {
    path::second_look(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_reset(context: TcContext) -> i32 {
    act::reset(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_prohibited(context: TcContext) -> i32 {
    act::prohibited(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_redirect(context: TcContext) -> i32 {
    act::redirect(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_close(context: TcContext) -> i32 {
    act::close(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_chain(context: TcContext) -> i32 {
    path::walk_chain(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_ingress_record(context: TcContext) -> i32 {
    path::record(&Ingress::new(context))
}

#[classifier]
pub fn enforcer_tc_egress(context: TcContext) -> i32 {
    path::first_look(&Egress::new(context))
}

#[classifier]
pub fn enforcer_tc_egress_decide(context: TcContext) -> i32 {
    path::second_look(&Egress::new(context))
}

#[classifier]
pub fn enforcer_tc_egress_reset(context: TcContext) -> i32 {
    act::reset_far_end(&Egress::new(context))
}

#[classifier]
pub fn enforcer_tc_egress_restore(context: TcContext) -> i32 {
    act::restore(&Egress::new(context))
}

#[classifier]
pub fn enforcer_tc_egress_chain(context: TcContext) -> i32 {
    path::walk_chain(&Egress::new(context))
}

#[classifier]
pub fn enforcer_tc_egress_record(context: TcContext) -> i32 {
    path::record(&Egress::new(context))
}

/// Writes the kernel's jiffies over the first eight bytes of the packet: how user space, through
/// `BPF_PROG_TEST_RUN`, reads the clock that the deadlines are compared with.
#[xdp]
pub fn enforcer_clock(context: XdpContext) -> u32 {
    use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_PASS};
    match cursor::Cursor::xdp(&context).header_mut::<8>(0) {
        Some(bytes) => {
            *bytes = jiffies().to_ne_bytes();
            XDP_PASS
        }
        None => XDP_ABORTED,
    }
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
