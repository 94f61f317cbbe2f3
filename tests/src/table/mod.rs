//! Packets with what must become of them, written once and run through the shared code and the programs of every hook.
//!
//! A row reads: which way it travels, who the host is, what it is, the packet, and its verdict with the reason; and what
//! is done in the end, where that is not the verdict.

#![allow(
    clippy::enum_glob_use,
    clippy::wildcard_imports,
    reason = "the words of a table are short"
)]
#![expect(clippy::redundant_closure_for_method_calls, reason = "rows read alike")]

mod alter;
mod bound;
mod build;
mod chains;
mod closing;
mod compliant;
mod fragments;
mod links;
mod many;
mod martian;
mod neighbours;
mod place;
mod portal;
mod refused;
mod rogues;
mod services;
mod stopped;
mod tunnels;
mod unknown;
mod vlans;

use enforcer_common::{
    decide::{Direction, Reason, Verdict},
    host::Family,
    role::RoleId,
};

pub use place::{HOST_PORT, Place};

/// Who the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The management server decided.
    As(RoleId),
    /// The same, and it is bound to its MAC address, as another host is to its own.
    Bound(RoleId),
    /// It is bound, and its source has been silent for longer than its lease.
    BoundSilent,
    /// It has only just lost a role that let it pass.
    Closing(RoleId),
    /// The same, and the far end of its flow to port 443 of the server was told so.
    Told(RoleId),
    /// It is quarantined, and has a redirected flow to port 80 of the server.
    OnPortal,
    /// The same, and the first fragment of its request went there.
    AskingPortal,
    /// The same as [`Known::OnPortal`], and then it opened the portal itself from the same port.
    OnPortalDirectly,
    /// Nothing is known of it, and nobody was asked yet.
    Nobody,
    /// The management server was asked, and may still answer.
    Asked,
    /// The management server was asked, and did not answer in time.
    Unanswered,
    /// The source that authorized it has been silent for longer than its lease.
    Silent,
    /// Its authorization had an end, which is over.
    Ended,
    /// Its address is in no scope.
    Outside,
    /// Its address is in a bypassed scope.
    Bypassed,
    /// The management server decided of its address in zone 1.
    InZone1(RoleId),
    /// It is denied, and its address in zone 1 is authorized.
    Twice,
}

/// A host that complies.
const GOOD: Known = Known::As(RoleId::AUTHORIZED);
/// A host that is quarantined.
const BAD: Known = Known::As(RoleId::QUARANTINE);
/// A host that is stopped altogether.
const DENIED: Known = Known::As(RoleId::DENIED);
/// A host whose role has rules that deny.
const GUEST: Known = Known::As(crate::gate::GUEST);
/// A host whose role only counts what it would stop.
const WATCHED: Known = Known::As(crate::gate::WATCHED);

/// How the gateway is set up for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// As the bench is.
    Usual,
    /// The first datagram of an unknown host goes out, too.
    FirstDatagram,
    /// Nobody may be asked any more.
    NoQuestions,
    /// Nothing may be answered any more.
    NoReplies,
    /// The interface has no portal.
    NoPortal,
    /// The interface drops what is in no VLAN.
    TaggedOnly,
    /// The interface believes routers and DHCP servers.
    Trusting,
}

/// One packet.
#[derive(Clone, Copy)]
pub struct Row {
    /// What it is.
    pub what: &'static str,
    /// Who the host is.
    pub known: Known,
    /// How the gateway is set up.
    pub setting: Setting,
    /// Which way it travels.
    pub way: Direction,
    /// The packet, for these addresses.
    pub packet: fn(&Place) -> Vec<u8>,
    /// What the decision says.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What is done in the end, where that is not the verdict.
    pub done: Verdict,
    /// The families that it makes sense in.
    pub families: &'static [Family],
}

impl Row {
    /// Only this is done.
    fn done(self, done: Verdict) -> Self {
        Self { done, ..self }
    }

    /// In a gateway that is set up so.
    fn given(self, setting: Setting) -> Self {
        Self { setting, ..self }
    }

    /// Only in this family.
    fn only(self, family: Family) -> Self {
        let families: &[Family] = match family {
            Family::V4 => &[Family::V4],
            Family::V6 => &[Family::V6],
        };
        Self { families, ..self }
    }
}

/// A packet that a host sends.
fn out(
    known: Known,
    what: &'static str,
    packet: fn(&Place) -> Vec<u8>,
    verdict: Verdict,
    reason: Reason,
) -> Row {
    Row {
        what,
        known,
        setting: Setting::Usual,
        way: Direction::FromHost,
        packet,
        verdict,
        reason,
        done: verdict,
        families: &[Family::V4, Family::V6],
    }
}

/// A packet sent to a host.
fn back(
    known: Known,
    what: &'static str,
    packet: fn(&Place) -> Vec<u8>,
    verdict: Verdict,
    reason: Reason,
) -> Row {
    Row {
        way: Direction::ToHost,
        ..out(known, what, packet, verdict, reason)
    }
}

/// Rows, one a line: `out|back WHO, WHAT [in FAMILY] [given SETTING]: PACKET => VERDICT REASON [but DONE];`
macro_rules! table {
    ($(
        $way:ident $known:expr, $what:literal $(in $family:ident)? $(given $setting:ident)?:
        $packet:expr => $verdict:ident $reason:ident $(but $done:ident)?;
    )*) => {
        vec![$(
            $crate::table::$way(
                $known,
                $what,
                $packet,
                enforcer_common::decide::Verdict::$verdict,
                enforcer_common::decide::Reason::$reason,
            )
            $(.only(enforcer_common::host::Family::$family))?
            $(.given($crate::table::Setting::$setting))?
            $(.done(enforcer_common::decide::Verdict::$done))?
        ),*]
    };
}
use table;

/// Every row.
pub fn rows() -> Vec<Row> {
    [
        compliant::rows(),
        bound::rows(),
        neighbours::rows(),
        rogues::rows(),
        stopped::rows(),
        tunnels::rows(),
        portal::rows(),
        closing::rows(),
        unknown::rows(),
        services::rows(),
        many::rows(),
        martian::rows(),
        vlans::rows(),
        links::rows(),
        fragments::rows(),
        chains::rows(),
        refused::rows(),
    ]
    .concat()
}
