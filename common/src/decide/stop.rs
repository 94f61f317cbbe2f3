//! What a role would stop: how it is stopped, and what passes all the same.

use super::{
    Ask, Basis, Case, Direction, Judgement, Reason, Tables, Verdict,
    judgement::{pass, stop},
    own_service::own_service,
    ruling::by_role,
};
use crate::{
    host::{FlowKey, Host},
    packet::{Packet, Part, Transport, protocol, tcp_flag},
    role::{RoleId, RoleRow},
    settings::{Settings, Undecided},
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
/// when the time is over it has the role `unknown`, unless such hosts are to pass then. What that role lets pass,
/// passes at once.
#[inline(always)]
fn undecided<T: Tables>(case: &Case<'_>, tables: &T) -> Judgement {
    let (role, now) = (RoleId::UNKNOWN, case.now);
    let settings = tables.settings();
    // Another CPU may have written a later time than this one read at the start of its packet.
    let asked = tables
        .asked(case.host)
        .filter(|asked| now.saturating_sub(asked.last) < settings.forget_after);
    let from_host = case.direction == Direction::FromHost;
    let due = match asked {
        _ if !from_host => Ask::No,
        None => Ask::First,
        Some(asked) if now.saturating_sub(asked.last) >= settings.report_every => {
            Ask::Again(asked.since)
        }
        Some(_) => Ask::No,
    };
    // Of more unknown hosts than may be asked about, those above it are held: they ask with a later packet.
    let ask = match due {
        Ask::First | Ask::Again(_) if tables.may_ask(now) => due,
        _ => Ask::No,
    };
    let opens = match asked {
        Some(_) => case.packet.is_bare_syn(),
        None => ask == Ask::First && opens_flow(case.packet, &settings),
    };
    let waiting = match asked {
        None => from_host,
        Some(asked) => now.saturating_sub(asked.since) < settings.unknown_timeout,
    };
    // Asked for last: what is known before the rules are looked up, the verifier follows through each of them.
    let is_open = || match Undecided::from_number(tables.settings().undecided) {
        Undecided::Stopped => false,
        Undecided::PassLater => asked.is_some() && !waiting,
        Undecided::Pass => true,
    };
    let judgement = match by_role(case, role, tables) {
        (true, reason) => pass(reason, role),
        (false, _) if is_open() => pass(Reason::NoAnswer, role),
        (false, _) if !waiting => stop(style(case, role, tables), Reason::NoAnswer, role, tables),
        (false, _) if from_host && opens => pass(Reason::FirstPacket, role),
        (false, _) => stop(Verdict::Drop, Reason::Held, role, tables),
    };
    Judgement { ask, ..judgement }
}

/// Whether the first packet of a host may go out: a TCP SYN without payload, or a datagram where the
/// configuration says so. While the answer is awaited other flows may be opened by a SYN, and by nothing else.
#[inline(always)]
fn opens_flow(packet: &Packet, settings: &Settings) -> bool {
    let datagram = matches!(
        packet.transport_header(),
        Transport::Datagram(_) | Transport::Icmp(_)
    );
    packet.is_bare_syn() || (settings.first_datagram != 0 && datagram)
}

/// How a role stops a packet: HTTP goes to the portal, TCP is reset, the rest is answered or dropped in silence.
/// Flows that were open a moment ago are closed at their far end too. A function of its own, since it is asked for
/// in three places.
#[inline(never)]
fn style<T: Tables>(case: &Case<'_>, role: RoleId, tables: &T) -> Verdict {
    let Case {
        packet, direction, ..
    } = *case;
    if direction == Direction::ToHost {
        return style_of_what_comes_back(case);
    }
    // Nobody answers for many (RFC 9293 section 3.9.2.3, RFC 1812 section 4.3.2.7).
    if packet.destination.is_multicast() {
        return Verdict::Drop;
    }
    let row = tables.role(role);
    let Transport::Tcp(ports, flags) = packet.transport_header() else {
        let may_be_of_a_request = packet.part == Part::Later && packet.protocol == protocol::TCP;
        return if may_be_of_a_request && row.has(RoleRow::PORTAL) {
            Verdict::Redirect
        } else if row.has(RoleRow::REJECT) && packet.may_be_answered() {
            Verdict::Reject
        } else {
            Verdict::Drop
        };
    };
    if row.has(RoleRow::PORTAL) && ports.destination == HTTP && !packet.goes_on {
        return Verdict::Redirect;
    }
    // A reset is never answered with a reset (RFC 9293 section 3.10.7.1).
    if flags.bits & tcp_flag::RST != 0 {
        return Verdict::Drop;
    }
    // A segment that carries something is sent again when nobody acknowledges it: so first the far end is told, and
    // then the host.
    if case.standing.closing
        && packet.is_of_an_open_flow()
        && flags.payload
        && flow(case.host, packet, direction).is_some_and(|flow| !tables.told(&flow))
    {
        return Verdict::Close;
    }
    if row.has(RoleRow::REJECT) {
        Verdict::Reject
    } else {
        Verdict::Drop
    }
}

/// The far end of a flow that was open a moment ago is told that it is over; what else comes back to a stopped host
/// is dropped in silence: nobody out there may learn what is behind the gateway.
#[inline(always)]
fn style_of_what_comes_back(case: &Case<'_>) -> Verdict {
    let packet = case.packet;
    if case.standing.closing && packet.is_of_an_open_flow() && !packet.source.is_martian() {
        Verdict::Reject
    } else {
        Verdict::Drop
    }
}

/// The TCP flow that a packet belongs to.
#[inline(always)]
pub fn flow(host: &Host, packet: &Packet, direction: Direction) -> Option<FlowKey> {
    let ports = packet.ports()?;
    let (remote, host_port, remote_port) = match direction {
        Direction::FromHost => (&packet.destination, ports.source, ports.destination),
        Direction::ToHost => (&packet.source, ports.destination, ports.source),
    };
    Some(FlowKey {
        host: host.key(),
        remote: remote.key(),
        host_port,
        remote_port,
        pad: 0,
    })
}

impl Packet {
    /// Whether this is a TCP segment between two ends that know of each other.
    #[inline(always)]
    fn is_of_an_open_flow(&self) -> bool {
        let Transport::Tcp(_, flags) = self.transport_header() else {
            return false;
        };
        flags.bits & (tcp_flag::ACK | tcp_flag::SYN | tcp_flag::RST) == tcp_flag::ACK
    }

    /// Whether an ICMP error may answer this packet, which is not TCP: never another error, nor a later fragment (RFC
    /// 1812 section 4.3.2.7, RFC 4443 section 2.4(e)).
    #[inline(always)]
    fn may_be_answered(&self) -> bool {
        if self.part == Part::Later {
            return false;
        }
        match (self.protocol, self.transport_header()) {
            (protocol::ICMP, Transport::Icmp(kind)) => !matches!(kind, 3..=5 | 11 | 12),
            (protocol::ICMPV6, Transport::Icmp(kind)) => kind >= 128 && kind != 137,
            _ => true,
        }
    }
}

/// The port on which the portal stands in.
pub const HTTP: u16 = 80;
