//! What a role would stop: how it is stopped, and what passes all the same.

use super::{
    Ask, Basis, Case, Direction, Judgement, Reason, Tables, Verdict,
    judgement::{pass, stop},
    own_service::own_service,
    ruling::by_role,
};
use crate::{
    packet::{Packet, Transport, tcp_flag},
    role::{RoleId, RoleRow},
    settings::Settings,
};

/// What the role would stop, for this reason: own services pass all the same, unknown hosts are held
/// for a while, and the rest is stopped as the role says.
#[inline(never)]
pub(super) fn stopped<T: Tables>(case: &Case<'_>, reason: Reason, tables: &T) -> Judgement {
    let role = case.standing.role;
    if let Some(reason) = own_service(case, tables) {
        return pass(reason, role);
    }
    match case.standing.basis {
        Basis::Martian => stop(Verdict::Drop, Reason::Martian, role, tables),
        Basis::Undecided => undecided(case, tables),
        Basis::LeaseExpired => stop(
            style(case, role, tables),
            Reason::LeaseExpired,
            role,
            tables,
        ),
        _ => stop(style(case, role, tables), reason, role, tables),
    }
}

/// An unknown host: its first packet goes out while the answer is awaited, and nothing comes back;
/// when the time is over it has the role `unknown`. What that role lets pass, passes at once.
#[inline(always)]
fn undecided<T: Tables>(case: &Case<'_>, tables: &T) -> Judgement {
    let (role, now) = (RoleId::UNKNOWN, case.now);
    let settings = tables.settings();
    // Another CPU may have written a later time than this one read at the start of its packet.
    let asked = tables
        .asked(case.host)
        .filter(|asked| now.saturating_sub(asked.last) < settings.forget_after);
    let from_host = case.direction == Direction::FromHost;
    let ask = match asked {
        _ if !from_host => Ask::No,
        None => Ask::First,
        Some(asked) if now.saturating_sub(asked.last) >= settings.report_every => {
            Ask::Again(asked.since)
        }
        Some(_) => Ask::No,
    };
    let waiting = match asked {
        None => from_host,
        Some(asked) => now.saturating_sub(asked.since) < settings.unknown_timeout,
    };
    let judgement = match by_role(case, role, tables) {
        (true, reason) => pass(reason, role),
        (false, _) if !waiting => stop(style(case, role, tables), Reason::NoAnswer, role, tables),
        (false, _) if from_host && opens_flow(case.packet, &settings) => {
            pass(Reason::FirstPacket, role)
        }
        (false, _) => stop(Verdict::Drop, Reason::Held, role, tables),
    };
    Judgement { ask, ..judgement }
}

#[inline(always)]
fn opens_flow(packet: &Packet, settings: &Settings) -> bool {
    let datagram = matches!(
        packet.transport_header(),
        Transport::Datagram(_) | Transport::Icmp(_)
    );
    packet.is_bare_syn() || (settings.first_datagram != 0 && datagram)
}

/// How a role stops a packet of a host: HTTP to the portal, TCP with a reset, the rest in silence.
#[inline(always)]
fn style<T: Tables>(case: &Case<'_>, role: RoleId, tables: &T) -> Verdict {
    let Case {
        packet, direction, ..
    } = *case;
    let Transport::Tcp(ports, flags) = packet.transport_header() else {
        return Verdict::Drop;
    };
    // Nobody answers for many (RFC 9293 section 3.9.2.3).
    if direction == Direction::ToHost || packet.destination.is_multicast() {
        return Verdict::Drop;
    }
    let row = tables.role(role);
    if row.has(RoleRow::PORTAL) && ports.destination == HTTP {
        return Verdict::Redirect;
    }
    // A reset is never answered with a reset (RFC 9293 section 3.10.7.1).
    if row.has(RoleRow::REJECT) && flags.bits & tcp_flag::RST == 0 {
        return Verdict::Reject;
    }
    Verdict::Drop
}

/// The port on which the portal stands in.
pub const HTTP: u16 = 80;
