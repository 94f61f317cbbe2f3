//! What the kernel is to hold of a host, and how that changes.

use std::cmp::Reverse;

use enforcer_common::{
    host::{Host, SourceId},
    role::RoleId,
};
use jiff::Timestamp;

use super::strictness::strictness;
use crate::identity::Mac;

/// What the kernel is to hold of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its role.
    pub role: RoleId,
    /// Whose decision it is.
    pub source: SourceId,
    /// The MAC address that it must send from.
    pub mac: Option<Mac>,
    /// Until when the decision holds.
    pub until: Option<Timestamp>,
}

impl Row {
    /// Of several rows of equal priority the greatest counts: the strictest, and among equals one that is bound, and of those the one that
    /// lasts longest.
    /// The rest only makes the choice independent of the order in which decisions come.
    pub(super) fn precedence(&self) -> impl Ord + use<> {
        let lasts = self.until.unwrap_or(Timestamp::MAX);
        let is_bound = self.mac.is_some();
        (
            strictness(self.role),
            is_bound,
            lasts,
            Reverse(self.source),
            self.mac,
        )
    }

    /// Whether a row read back from the kernel says the same. The kernel counts time in ticks of its
    /// own, so that the end comes back a little off.
    pub fn agrees(&self, other: &Self) -> bool {
        let same_end = match (self.until, other.until) {
            (Some(mine), Some(other)) => {
                mine.duration_since(other).abs() <= jiff::SignedDuration::from_secs(1)
            }
            (mine, other) => mine == other,
        };
        let exact = |row: &Self| (row.role, row.source, row.mac);
        same_end && exact(self) == exact(other)
    }
}

/// One difference to what the kernel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The host that changes.
    pub host: Host,
    /// The row that it had.
    pub before: Option<Row>,
    /// The row that it is to have.
    pub after: Option<Row>,
}
