//! From a packet and what the tables hold to a verdict.
//!
//! The steps, in this order: [`zone`] says where a frame's host is, [`standing`] what is known of it (this is what
//! the verdict cache keeps), [`at_once`] whether that lets the packet pass without a further look, and
//! [`consider`] what happens to all others. [`judge_frame`] takes all of them, for user space; the kernel programs
//! take each where it costs least.

mod arp;
mod consider;
mod frame;
mod guard;
mod judgement;
mod own_service;
mod ruling;
mod standing;
mod stop;
mod tables;
mod verdict;

pub use arp::judge_arp;
pub use consider::{Case, at_once, consider};
pub use frame::{Judged, judge_frame, zone};
pub use judgement::{Ask, Judgement};
pub use standing::{Basis, Standing, standing};
pub use stop::{HTTP, flow};
pub use tables::Tables;
pub use verdict::{Reason, Verdict};

use crate::{packet::Refusal, role::RoleId};
use judgement::{pass, stop};

/// Which way a packet travels.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Sent by a host: judged by its source address.
    FromHost,
    /// Sent to a host: judged by its destination address.
    ToHost,
}

/// The verdict for a frame that the parser refused, whichever way it travels.
#[inline(always)]
pub fn judge_refusal<T: Tables>(refusal: Refusal, tables: &T) -> Judgement {
    stop(Verdict::Drop, refusal.into(), RoleId::UNKNOWN, tables)
}

/// The verdict for a frame of a VLAN that the interface does not allow.
#[inline(always)]
pub fn judge_vlan<T: Tables>(tables: &T) -> Judgement {
    stop(Verdict::Drop, Reason::Vlan, RoleId::UNKNOWN, tables)
}

/// The verdict for EAPOL, LLDP and what else neighbours say to each other.
#[inline(always)]
pub fn judge_link() -> Judgement {
    pass(Reason::Link, RoleId::UNKNOWN)
}
