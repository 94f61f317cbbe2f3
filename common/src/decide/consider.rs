//! Which packets pass at once, and what becomes of the others.

use super::{
    Basis, Direction, Judgement, Reason, Standing, Tables, Verdict,
    guard::{guard, needs_a_look},
    judgement::{pass, stop},
    ruling::by_role,
    stop::stopped,
};
use crate::{
    host::Host,
    packet::{Claim, Packet},
    role::RoleRow,
    settings::InterfaceRow,
};

/// A packet, whose it is, and when.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The packet.
    pub packet: &'a Packet,
    /// Which way it travels.
    pub direction: Direction,
    /// The interface that it came in or goes out by.
    pub interface: &'a InterfaceRow,
    /// The host that sent it, or that it is for.
    pub host: &'a Host,
    /// What is known of that host.
    pub standing: &'a Standing,
    /// Now, in jiffies.
    pub now: u64,
}

/// Why a packet passes, for those of which that can be said from the standing of the host alone: the common case,
/// kept as short as it can be. All others are for [`consider`], which says the same of these.
#[inline(always)]
pub fn at_once<T: Tables>(case: &Case<'_>, tables: &T) -> Option<Reason> {
    let Case {
        packet, standing, ..
    } = *case;
    if case.direction == Direction::FromHost
        && (standing.is_elsewhere(packet.source_mac) || needs_a_look(packet))
    {
        return None;
    }
    match standing.basis {
        Basis::Decided | Basis::LeaseExpired => {
            let row = tables.role(standing.role);
            (row.has(RoleRow::ALLOW) && !row.has(RoleRow::RULES)).then_some(Reason::RoleAllows)
        }
        Basis::Bypassed => Some(Reason::Bypassed),
        Basis::Outside => Some(Reason::Outside),
        Basis::Undecided | Basis::Martian => None,
    }
}

/// The verdict for a packet with what it claims, as neighbour discovery does.
#[inline(always)]
pub fn consider<T: Tables>(case: &Case<'_>, claim: &Claim, tables: &T) -> Judgement {
    let role = case.standing.role;
    if let Some(reason) = guard(case, claim, tables) {
        return stop(Verdict::Drop, reason, role, tables);
    }
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
