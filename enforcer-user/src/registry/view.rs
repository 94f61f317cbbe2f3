//! What is known of a host, for people.

use std::{ops::Bound, sync::Arc};

use enforcer_common::{
    host::{Host, SourceId},
    role::RoleId,
};

use crate::identity::Mac;

use super::{
    Registry, Share,
    decided::{Decided, Exception},
    row::Row,
};

/// What is known of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostView {
    /// The host.
    pub host: Host,
    /// What the kernel is to hold of it.
    pub row: Row,
    /// The operator's exception that it has.
    pub exception: Option<Exception>,
    /// The decision that counts, or would without the exception.
    pub decided: Option<Arc<Decided>>,
    /// The source of that decision.
    pub decided_by: Option<SourceId>,
    /// The revision at which that source decided so.
    pub revision: Option<u64>,
    /// How many endpoints have this address.
    pub shared_by: usize,
}

/// An endpoint that a source sees at a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The source.
    pub source: SourceId,
    /// The MAC address that the endpoint is bound to there.
    pub mac: Option<Mac>,
    /// What was decided of it.
    pub decided: Arc<Decided>,
}

impl Registry {
    /// What is known of a host; `None` when nothing is decided of it.
    pub fn host(&self, host: &Host) -> Option<HostView> {
        let row = *self.held.get(host)?;
        let counting = self.counting_share(host);
        Some(HostView {
            host: *host,
            row,
            exception: self.exceptions.get(host).cloned(),
            decided: counting.map(|share| share.decided.clone()),
            decided_by: counting.map(|share| share.source),
            revision: counting.and_then(|share| self.revision_of(share)),
            shared_by: self.shared_by(host),
        })
    }

    /// What each source says of a host, with the revision at which it did.
    pub fn said_of(&self, host: &Host) -> impl Iterator<Item = (SourceId, u64, &Decided)> {
        self.shares_of(host).iter().filter_map(|share| {
            let revision = self.revision_of(share)?;
            Some((share.source, revision, share.decided.as_ref()))
        })
    }

    /// Whether a source or the operator has decided of a host.
    pub fn is_decided(&self, host: &Host) -> bool {
        self.exceptions.contains_key(host) || self.shares.contains_key(host)
    }

    /// Every host of which something is decided, in their order.
    pub fn hosts(&self) -> impl Iterator<Item = HostView> {
        self.held.keys().filter_map(|host| self.host(host))
    }

    /// The same behind this one.
    pub fn hosts_after(&self, after: Option<Host>) -> impl Iterator<Item = HostView> {
        self.held_after(after)
            .filter_map(|(host, _)| self.host(host))
    }

    /// Every endpoint that a source sees at a host.
    pub fn parties(&self, host: &Host) -> impl Iterator<Item = Party> {
        self.shares_of(host).iter().map(|share| Party {
            source: share.source,
            mac: share.mac,
            decided: share.decided.clone(),
        })
    }

    /// The row that the kernel is to hold of a host.
    pub fn row(&self, host: &Host) -> Option<Row> {
        self.held.get(host).copied()
    }

    /// Every host that the kernel is to hold a row of, with the row, in their order.
    pub fn held(&self) -> impl Iterator<Item = (&Host, &Row)> {
        self.held.iter()
    }

    /// The same behind this one.
    pub fn held_after(&self, after: Option<Host>) -> impl Iterator<Item = (&Host, &Row)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.held.range((from, Bound::Unbounded))
    }

    /// How many hosts have each role, for the roles that any host has.
    pub fn counts(&self) -> impl Iterator<Item = (RoleId, usize)> {
        let roles = (0..=u8::MAX).map(RoleId);
        roles.zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// The revision up to which everything that a source decided is known.
    pub fn revision(&self, source: SourceId) -> Option<u64> {
        self.sources.get(&source)?.revision
    }

    /// Whether a whole snapshot of this source has come.
    pub fn is_complete(&self, source: SourceId) -> bool {
        self.sources
            .get(&source)
            .is_some_and(|source| source.complete)
    }

    /// How many endpoints a source has decided.
    pub fn endpoints(&self, source: SourceId) -> usize {
        self.sources
            .get(&source)
            .map_or(0, |source| source.endpoints.len())
    }

    /// The hosts of an endpoint that a source has decided of.
    pub fn hosts_of(&self, source: SourceId, endpoint: &str) -> impl Iterator<Item = Host> {
        let known = self.sources.get(&source);
        let known = known.and_then(|source| source.endpoints.get(endpoint));
        let hosts = known.map_or(&[][..], |known| &known.decided.hosts);
        hosts.iter().map(|bound| bound.host)
    }

    pub(super) fn revision_of(&self, share: &Share) -> Option<u64> {
        let source = self.sources.get(&share.source)?;
        let known = source.endpoints.get(&share.decided.endpoint)?;
        Some(known.revision)
    }
}

/// Hosts by role. Roles that the kernel knows are fewer; a table read back may hold any number.
pub(super) type Counts = [usize; 1 << u8::BITS];
