//! A verdict with all that is worth counting and reporting of it.

use super::{Reason, Tables, Verdict};
use crate::role::{RoleId, RoleRow};

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

#[inline(always)]
pub(super) fn pass(reason: Reason, role: RoleId) -> Judgement {
    Judgement {
        verdict: Verdict::Pass,
        reason,
        role,
        monitored: false,
        ask: Ask::No,
    }
}

#[inline(always)]
pub(super) fn stop<T: Tables>(
    verdict: Verdict,
    reason: Reason,
    role: RoleId,
    tables: &T,
) -> Judgement {
    let monitored = tables.settings().enforce == 0 || tables.role(role).has(RoleRow::MONITOR);
    Judgement {
        verdict,
        reason,
        role,
        monitored,
        ask: Ask::No,
    }
}
