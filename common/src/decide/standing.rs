//! What is known of a host.

use super::Tables;
use crate::{host::Host, role::RoleId, settings::Scope};

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
    let martian = Standing {
        role: RoleId::UNKNOWN,
        basis: Basis::Martian,
        until: 0,
    };
    if host.address.is_martian() {
        return martian;
    }
    match tables.scope(host) {
        Scope::Own => martian,
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
