//! What a role says of a packet: its rules, and then its default.

use super::{Case, Direction, Reason, Tables};
use crate::role::{NO_PORT, RoleId, RoleRow};

/// What the rules of a role, and then its default, say.
#[inline(always)]
pub(super) fn by_role<T: Tables>(case: &Case<'_>, role: RoleId, tables: &T) -> (bool, Reason) {
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
pub(super) enum Ruling {
    Allow,
    Deny,
    Silent,
}

#[inline(never)]
pub(super) fn by_rules<T: Tables>(case: &Case<'_>, role: RoleId, tables: &T) -> Ruling {
    let Case {
        packet, direction, ..
    } = *case;
    // Its destination is not where it goes, so that no rule can open the way to it.
    if packet.goes_on {
        return Ruling::Deny;
    }
    let remote = match direction {
        Direction::FromHost => &packet.destination,
        Direction::ToHost => &packet.source,
    };
    let port = match (packet.ports(), direction) {
        (Some(ports), Direction::FromHost) => u32::from(ports.destination),
        (Some(ports), Direction::ToHost) => u32::from(ports.source),
        (None, _) => NO_PORT,
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
