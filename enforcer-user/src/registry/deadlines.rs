//! What ends by itself, in the order in which it ends.

use std::collections::BTreeSet;

use enforcer_common::host::{Host, SourceId};
use jiff::Timestamp;

use crate::identity::EndpointId;

/// Something that ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Exception(Host),
    Decision(SourceId, EndpointId),
    Adopted(Host),
    Unanswered(Host),
}

/// Every end that lies ahead.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<(Timestamp, Due)>);

impl Deadlines {
    pub(super) fn add(&mut self, until: Option<Timestamp>, due: Due) {
        self.0.extend(until.map(|until| (until, due)));
    }

    pub(super) fn drop(&mut self, until: Option<Timestamp>, due: Due) {
        if let Some(until) = until {
            self.0.remove(&(until, due));
        }
    }

    /// Takes one thing out whose end has come.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Due> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, due)| due)
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|(until, _)| *until)
    }
}
