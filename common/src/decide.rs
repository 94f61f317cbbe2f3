//! From a packet and what the tables hold to a verdict.
//!
//! Two steps: [`standing`] says what is known of a host (this is what the verdict cache keeps), and
//! [`judge`] says what that means for one packet.

use crate::{
    host::{Address, Asked, Host, HostRow, SourceId},
    packet::{Packet, Refusal, Transport, protocol, tcp_flag},
    role::{RoleId, RoleRow, RuleSet},
    settings::{Scope, Settings},
};

/// Which way a packet travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Sent by a host: judged by its source address.
    FromHost,
    /// Sent to a host: judged by its destination address.
    ToHost,
}

/// What happens to a packet.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass = 0,
    /// It is dropped.
    Drop = 1,
    /// It is dropped and its sender is told.
    Reject = 2,
    /// It goes to the gateway's portal.
    Redirect = 3,
}

impl Verdict {
    /// Every verdict with the word for it, in the order of their numbers.
    pub const ALL: [(Self, &str); 4] = [
        (Self::Pass, "pass"),
        (Self::Drop, "drop"),
        (Self::Reject, "reject"),
        (Self::Redirect, "redirect"),
    ];
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// Why a packet has its verdict.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// Every reason with the word for it, in the order of their numbers.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, $word),)+];
        }
    };
}

reasons! {
    /// The role lets everything pass that its rules do not deny.
    RoleAllows = "role_allows",
    /// The role stops everything that its rules do not allow.
    RoleDenies = "role_denies",
    /// A rule of the role allows it.
    RuleAllows = "rule_allows",
    /// A rule of the role denies it.
    RuleDenies = "rule_denies",
    /// The address is in a bypassed scope.
    Bypassed = "bypassed",
    /// The address is in no scope.
    Outside = "outside",
    /// It belongs to a service that every host reaches, whatever its role.
    OwnService = "own_service",
    /// It opens a flow of an unknown host whose answer is awaited.
    FirstPacket = "first_packet",
    /// The answer about the unknown host is awaited.
    Held = "held",
    /// No answer came in time: the role `unknown` stops it.
    NoAnswer = "no_answer",
    /// The source that decided of the host has been silent for longer than its lease.
    LeaseExpired = "lease_expired",
    /// Cut short, lengths that lie, or headers that overlap.
    Malformed = "malformed",
    /// More VLAN tags or extension headers than the bound.
    TooDeep = "too_deep",
    /// An Ethernet type that carries neither IP nor ARP.
    NotIp = "not_ip",
    /// A source address that no host may have.
    Martian = "martian",
    /// A protocol between neighbours: ARP, EAPOL, LLDP.
    Link = "link",
    /// A destination of many, sent to hosts by the gateway.
    Multicast = "multicast",
    /// A reply of the portal on its way back to the host.
    Portal = "portal",
}

impl From<Refusal> for Reason {
    #[inline(always)]
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed => Self::Malformed,
            Refusal::TooDeep => Self::TooDeep,
            Refusal::NotIp => Self::NotIp,
        }
    }
}

/// How a host came by its role.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Nothing is decided of it.
    Undecided = 0,
    /// A source decided.
    Decided = 1,
    /// A source had decided, and has been silent for longer than its lease.
    LeaseExpired = 2,
    /// Its address is in a bypassed scope.
    Bypassed = 3,
    /// Its address is in no scope.
    Outside = 4,
    /// Its address is one that no host may send from.
    Martian = 5,
}

impl Basis {
    /// The basis with this number; `Undecided`, the safe one, when there is none.
    #[inline(always)]
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Decided,
            2 => Self::LeaseExpired,
            3 => Self::Bypassed,
            4 => Self::Outside,
            5 => Self::Martian,
            _ => Self::Undecided,
        }
    }
}

/// What is known of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its role.
    pub role: RoleId,
    /// How it came by it.
    pub basis: Basis,
    /// Until when this holds, in jiffies. 0: it must be found out again for each packet.
    pub until: u64,
}

/// What the tables hold. The kernel reads its maps, user space the same maps or a model of them.
pub trait Tables {
    /// What is decided of a host.
    fn host(&self, host: &Host) -> Option<HostRow>;
    /// When the lease of a source ends, in jiffies.
    fn lease(&self, source: SourceId) -> u64;
    /// The scope that a host's address is in.
    fn scope(&self, host: &Host) -> Scope;
    /// What a role means.
    fn role(&self, role: RoleId) -> RoleRow;
    /// The rules of a role for a remote address.
    fn rules(&self, role: RoleId, remote: &[u8; 16]) -> Option<&RuleSet>;
    /// Whether and when an unknown host was asked about.
    fn asked(&self, host: &Host) -> Option<Asked>;
    /// The settings.
    fn settings(&self) -> Settings;
}

/// A packet's verdict, with all that is worth counting and reporting of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What would happen in enforce mode.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// By which role.
    pub role: RoleId,
    /// Whether the verdict is only counted, since the mode or the role says monitor.
    pub monitored: bool,
    /// Whether the host is unknown and the controller should be told.
    pub ask: Ask,
}

/// Whether the controller should be asked about a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// No, or not again yet.
    No,
    /// For the first time since it was last forgotten.
    First,
    /// Once more; it was first asked about then (in jiffies).
    Again(u64),
}

/// What is known of a host at the time `now`, in jiffies.
#[inline(always)]
pub fn standing<T: Tables>(host: &Host, tables: &T, now: u64) -> Standing {
    if let Some(row) = tables.host(host) {
        let lease = tables.lease(row.source);
        if now >= lease {
            let role = tables.settings().lease_expired;
            return Standing {
                role,
                basis: Basis::LeaseExpired,
                until: 0,
            };
        }
        if now < row.deadline {
            let until = if row.deadline < lease {
                row.deadline
            } else {
                lease
            };
            return Standing {
                role: row.role,
                basis: Basis::Decided,
                until,
            };
        }
    }
    if host.address.is_martian() {
        return Standing {
            role: RoleId::UNKNOWN,
            basis: Basis::Martian,
            until: 0,
        };
    }
    match tables.scope(host) {
        Scope::Checked => Standing {
            role: RoleId::UNKNOWN,
            basis: Basis::Undecided,
            until: 0,
        },
        Scope::Bypassed => Standing {
            role: RoleId::BYPASS,
            basis: Basis::Bypassed,
            until: u64::MAX,
        },
        Scope::Outside => Standing {
            role: RoleId::BYPASS,
            basis: Basis::Outside,
            until: u64::MAX,
        },
    }
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

/// The verdict for a frame that is no IP packet. What the gateway itself sends is not judged.
#[inline(always)]
pub fn judge_refusal<T: Tables>(refusal: Refusal, tables: &T) -> Judgement {
    stop(Verdict::Drop, refusal.into(), RoleId::UNKNOWN, tables)
}

/// The verdict for ARP, EAPOL and LLDP.
#[inline(always)]
pub fn judge_link() -> Judgement {
    pass(Reason::Link, RoleId::UNKNOWN)
}

/// What the rules of a role, and then its default, say.
#[inline(always)]
fn by_role<T: Tables>(case: &Case<'_>, role: RoleId, tables: &T) -> (bool, Reason) {
    let row = tables.role(role);
    if row.has(RoleRow::RULES) {
        match by_rules(case, role, tables) {
            Ruling::Allow => return (true, Reason::RuleAllows),
            Ruling::Deny => return (false, Reason::RuleDenies),
            Ruling::Silent => {}
        }
    }
    if row.has(RoleRow::ALLOW) {
        (true, Reason::RoleAllows)
    } else {
        (false, Reason::RoleDenies)
    }
}

/// What the rules of a role say of a packet.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ruling {
    Allow,
    Deny,
    Silent,
}

#[inline(never)]
fn by_rules<T: Tables>(case: &Case<'_>, role: RoleId, tables: &T) -> Ruling {
    let Case {
        packet, direction, ..
    } = *case;
    let ports = packet.ports();
    let (remote, port) = match direction {
        Direction::FromHost => (&packet.destination, ports.map(|ports| ports.destination)),
        Direction::ToHost => (&packet.source, ports.map(|ports| ports.source)),
    };
    match tables
        .rules(role, &remote.mapped())
        .and_then(|set| set.decide(packet.protocol, port))
    {
        Some(true) => Ruling::Allow,
        Some(false) => Ruling::Deny,
        None => Ruling::Silent,
    }
}

/// What the role would stop, for this reason: own services pass all the same, unknown hosts are held
/// for a while, and the rest is stopped as the role says.
#[inline(never)]
fn stopped<T: Tables>(case: &Case<'_>, reason: Reason, tables: &T) -> Judgement {
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
    let asked = tables
        .asked(case.host)
        .filter(|asked| now.wrapping_sub(asked.last) < settings.forget_after);
    let from_host = case.direction == Direction::FromHost;
    let ask = match asked {
        _ if !from_host => Ask::No,
        None => Ask::First,
        Some(asked) if now.wrapping_sub(asked.last) >= settings.report_every => {
            Ask::Again(asked.since)
        }
        Some(_) => Ask::No,
    };
    let waiting = match asked {
        None => from_host,
        Some(asked) => now.wrapping_sub(asked.since) < settings.unknown_timeout,
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

/// Whether a packet belongs to what keeps the network running: address configuration and neighbour
/// discovery, and the services that the configuration opens to everyone.
#[inline(always)]
fn own_service<T: Tables>(case: &Case<'_>, tables: &T) -> Option<Reason> {
    let Case {
        packet, direction, ..
    } = *case;
    if is_address_configuration(packet, direction) || is_neighbour_discovery(packet, direction) {
        return Some(Reason::OwnService);
    }
    if direction == Direction::ToHost && packet.destination.is_multicast() {
        return Some(Reason::Multicast);
    }
    if case.standing.basis == Basis::Martian {
        return None;
    }
    (by_rules(case, RoleId::EVERYONE, tables) == Ruling::Allow).then_some(Reason::OwnService)
}

/// DHCP requests (RFC 2131, RFC 8415). Those to the gateway's own address are services by rule.
#[inline(always)]
fn is_address_configuration(packet: &Packet, direction: Direction) -> bool {
    let Some(ports) = packet.ports() else {
        return false;
    };
    if direction != Direction::FromHost || packet.protocol != protocol::UDP {
        return false;
    }
    match (ports.source, ports.destination) {
        (68, 67) => packet.destination == Address::v4([255; 4]),
        (546, 547) => packet.destination.is_link_multicast(),
        _ => false,
    }
}

/// Neighbour discovery (RFC 4861: hop limit 255, so it comes from this link), and the membership
/// reports that multicast snooping needs (RFC 3376, RFC 3810). From hosts only what hosts say: no
/// router advertisements, no redirects.
#[inline(always)]
fn is_neighbour_discovery(packet: &Packet, direction: Direction) -> bool {
    match (packet.protocol, packet.transport_header()) {
        (protocol::ICMPV6, Transport::Icmp(133 | 135 | 136)) => packet.hop_limit == 255,
        (protocol::ICMPV6, Transport::Icmp(134 | 137)) => {
            packet.hop_limit == 255 && direction == Direction::ToHost
        }
        (protocol::ICMPV6, Transport::Icmp(130..=132 | 143)) | (protocol::IGMP, _) => {
            packet.destination.is_link_multicast()
        }
        _ => false,
    }
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
    if direction == Direction::ToHost {
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

#[inline(always)]
fn pass(reason: Reason, role: RoleId) -> Judgement {
    Judgement {
        verdict: Verdict::Pass,
        reason,
        role,
        monitored: false,
        ask: Ask::No,
    }
}

#[inline(always)]
fn stop<T: Tables>(verdict: Verdict, reason: Reason, role: RoleId, tables: &T) -> Judgement {
    let monitored = tables.settings().enforce == 0 || tables.role(role).has(RoleRow::MONITOR);
    Judgement {
        verdict,
        reason,
        role,
        monitored,
        ask: Ask::No,
    }
}
