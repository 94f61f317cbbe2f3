//! What is known of a host.

use super::Tables;
use crate::{
    host::{Host, StandingBits},
    mac::Mac,
    role::RoleId,
    settings::Scope,
};

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
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Until when this holds, in jiffies. 0: it must be found out again for each packet.
    pub until: u64,
    /// The MAC address that the host must send from, if it is bound to one.
    pub mac: Mac,
    /// Its role.
    pub role: RoleId,
    /// How it came by it.
    pub basis: Basis,
    /// Whether it has only just lost a role that let it pass.
    pub closing: bool,
}

impl Standing {
    /// By this basis alone, without a row in the hosts table.
    #[inline(always)]
    const fn without_row(role: RoleId, basis: Basis, until: u64) -> Self {
        Self {
            until,
            mac: Mac::NONE,
            role,
            basis,
            closing: false,
        }
    }

    /// Whether a packet from this MAC address cannot be of the host.
    #[inline(always)]
    pub fn is_elsewhere(&self, mac: Mac) -> bool {
        !self.mac.is_none() && self.mac != mac
    }

    /// All but its end in one word, as the cache keeps it.
    #[inline(always)]
    pub fn bits(&self) -> StandingBits {
        StandingBits::new(self.mac, self.role, self.basis, self.closing)
    }
}

/// What is known of a host at the time `now`, in jiffies.
#[inline(always)]
pub fn standing<T: Tables>(host: &Host, tables: &T, now: u64) -> Standing {
    // A row whose own end has come is none, also when its source is silent since.
    if let Some(row) = tables.host(host)
        && now < row.deadline
    {
        let lease = tables.lease(row.origin.source());
        let mac = Mac::new(row.mac);
        let is_silent = now >= lease;
        if is_silent {
            let settings = tables.settings();
            if settings.lease_holds == 0 {
                return Standing {
                    mac,
                    ..Standing::without_row(settings.lease_expired, Basis::LeaseExpired, 0)
                };
            }
        }
        let (until, basis) = if is_silent {
            (0, Basis::LeaseExpired)
        } else if row.deadline < lease {
            (row.deadline, Basis::Decided)
        } else {
            (lease, Basis::Decided)
        };
        return Standing {
            until,
            mac,
            role: row.role,
            basis,
            closing: row.origin.is_closing(),
        };
    }
    let martian = Standing::without_row(RoleId::UNKNOWN, Basis::Martian, 0);
    if host.address.is_martian() {
        return martian;
    }
    match tables.scope(host) {
        Scope::Own => martian,
        Scope::Checked => Standing::without_row(RoleId::UNKNOWN, Basis::Undecided, 0),
        Scope::Bypassed => Standing::without_row(RoleId::BYPASS, Basis::Bypassed, u64::MAX),
        Scope::Outside => Standing::without_row(RoleId::BYPASS, Basis::Outside, u64::MAX),
    }
}
