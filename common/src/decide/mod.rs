//! From a packet and what the tables hold to a verdict.
//!
//! Two steps: [`standing`] says what is known of a host (this is what the verdict cache keeps), and
//! [`judge`] says what that means for one packet.

mod judgement;
mod own_service;
mod ruling;
mod standing;
mod stop;
mod tables;
mod verdict;

pub use judgement::{Ask, Judgement};
pub use standing::{Basis, Standing, standing};
pub use stop::HTTP;
pub use tables::Tables;
pub use verdict::{Reason, Verdict};

use crate::{
    host::Host,
    packet::{Packet, Refusal},
    role::RoleId,
};
use judgement::{pass, stop};
use ruling::by_role;
use stop::stopped;

/// Which way a packet travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Sent by a host: judged by its source address.
    FromHost,
    /// Sent to a host: judged by its destination address.
    ToHost,
}

/// A packet, whose it is, and when.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The packet.
    pub packet: &'a Packet,
    /// Which way it travels.
    pub direction: Direction,
    /// The host that sent it, or that it is for.
    pub host: &'a Host,
    /// What is known of that host.
    pub standing: &'a Standing,
    /// Now, in jiffies.
    pub now: u64,
}

/// The verdict for a packet. The common case stays in line; what only stopped packets and roles with
/// rules need is kept out of it (see [`stopped`]), because a kernel program has 512 bytes of stack.
#[inline(always)]
pub fn judge<T: Tables>(case: &Case<'_>, tables: &T) -> Judgement {
    let role = case.standing.role;
    match case.standing.basis {
        Basis::Bypassed => return pass(Reason::Bypassed, role),
        Basis::Outside => return pass(Reason::Outside, role),
        Basis::Undecided | Basis::Martian => return stopped(case, Reason::RoleDenies, tables),
        Basis::Decided | Basis::LeaseExpired => {}
    }
    match by_role(case, role, tables) {
        (true, reason) => pass(reason, role),
        (false, reason) => stopped(case, reason, tables),
    }
}

/// The verdict for a frame that the parser refused, whichever way it travels.
#[inline(always)]
pub fn judge_refusal<T: Tables>(refusal: Refusal, tables: &T) -> Judgement {
    stop(Verdict::Drop, refusal.into(), RoleId::UNKNOWN, tables)
}

/// The verdict for ARP, EAPOL and LLDP.
#[inline(always)]
pub fn judge_link() -> Judgement {
    pass(Reason::Link, RoleId::UNKNOWN)
}
