//! Everything known of each host, combined into one role.
//!
//! An operator's exception comes first, then of the sources' decisions those of the highest priority, and the
//! strictest of these; what the kernel held at start and its source has not confirmed yet counts like a decision. The
//! answer "nothing is known" comes last. A source that has gone silent yields to one that has not and is at least as
//! strict, so that nobody gains by its silence. Each
//! operation yields what the kernel table must change by, and nothing else: applying all changes in
//! order gives the table that a computation from scratch would. Pure: no I/O, and time is passed in.

mod adopted;
mod deadlines;
mod decided;
mod exceptions;
mod foremost;
#[cfg(test)]
mod properties;
mod row;
mod share;
mod sharing;
mod shrink;
mod source;
mod strictness;
mod unanswered;
mod view;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use enforcer_common::{
    host::{Host, SourceId},
    role::RoleId,
};
use jiff::Timestamp;

use crate::{
    config::SharedAddresses,
    identity::{Bound, EndpointId, Mac},
};
use deadlines::{Deadlines, Due};
use foremost::Weights;
use share::{Share, Shares};
use sharing::Holders;
use source::{Known, Source};
use unanswered::Unanswered;
use view::Counts;

pub use decided::{Decided, Exception, Operator};
pub use row::{Change, Row};
pub use shrink::{FEW, Shrink};
pub use source::Refused;
pub use strictness::strictness;
pub use unanswered::UNANSWERED;
pub use view::{HostView, Party};

/// A map for what may be a million things. Its hashes are seeded at random, and neither they nor the order of its keys is
/// ever shown: whoever chooses keys cannot make them collide.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Everything known of each host.
#[derive(Debug)]
pub struct Registry {
    /// What each source has decided.
    sources: BTreeMap<SourceId, Source>,
    /// The same by host.
    shares: Map<Host, Shares>,
    /// What counts where several endpoints share a host.
    sharing: SharedAddresses,
    /// Which of them had it first.
    holders: Holders,
    exceptions: HashMap<Host, Exception>,
    /// The MAC addresses that the hosts with exceptions are bound to.
    places: HashMap<Host, Mac>,
    /// Rows from before this process, of sources that have not sent a snapshot yet.
    adopted: HashMap<Host, Row>,
    unanswered: Unanswered,
    weights: Weights,
    /// What the kernel holds once every change that was yielded is applied, in an order by which lists can be
    /// paged through.
    held: BTreeMap<Host, Row>,
    counts: Counts,
    deadlines: Deadlines,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            sources: BTreeMap::new(),
            shares: Map::default(),
            sharing: SharedAddresses::default(),
            holders: Holders::new(),
            exceptions: HashMap::new(),
            places: HashMap::new(),
            adopted: HashMap::new(),
            unanswered: Unanswered::default(),
            weights: Weights::default(),
            held: BTreeMap::new(),
            counts: [0; 1 << u8::BITS],
            deadlines: Deadlines::default(),
        }
    }
}

impl Registry {
    /// An empty one for a kernel table with this many rows.
    pub fn for_table(rows: u32) -> Self {
        Self {
            unanswered: Unanswered::for_table(rows),
            ..Self::default()
        }
    }

    /// The source counts its revisions anew from the next snapshot on, which takes the place of all that it said.
    pub fn begin_anew(&mut self, source: SourceId) {
        if let Some(held) = self.sources.get_mut(&source) {
            held.begin_anew();
        }
    }

    /// Takes a whole snapshot of a source, as one: what it lacks is withdrawn.
    pub fn replace(
        &mut self,
        source: SourceId,
        revision: u64,
        decisions: Vec<Decided>,
    ) -> Result<Vec<Change>, Refused> {
        let held = self.sources.entry(source).or_default();
        held.advance(source, revision)?;
        held.complete = true;
        // An answer may have told of something newer than the snapshot.
        let older = held.take_up_to(revision);
        let mut touched = self.drop_adopted(source);
        self.unlink_all(source, &older, &mut touched);
        for decided in decisions {
            self.put(source, revision, decided, &mut touched);
        }
        Ok(self.settle(touched))
    }

    /// Takes one decision from the stream of a source.
    pub fn decide(
        &mut self,
        source: SourceId,
        revision: u64,
        decided: Decided,
    ) -> Result<Vec<Change>, Refused> {
        let held = self.sources.entry(source).or_default();
        held.advance(source, revision)?;
        let mut touched = Vec::new();
        self.put(source, revision, decided, &mut touched);
        Ok(self.settle(touched))
    }

    /// Whether an answer of a source about this endpoint may be taken, or is too late.
    pub fn admit_answer(
        &self,
        source: SourceId,
        revision: u64,
        endpoint: &EndpointId,
    ) -> Result<(), Refused> {
        match self.sources.get(&source) {
            Some(held) => held.admit_answer(source, endpoint, revision),
            None => Ok(()),
        }
    }

    /// Takes a decision that a source gave when it was asked. It says nothing of what else the source
    /// decided up to that revision.
    pub fn answer(
        &mut self,
        source: SourceId,
        revision: u64,
        decided: Decided,
    ) -> Result<Vec<Change>, Refused> {
        self.admit_answer(source, revision, &decided.endpoint)?;
        let mut touched = Vec::new();
        self.put(source, revision, decided, &mut touched);
        Ok(self.settle(touched))
    }

    /// Takes back what a source decided of an endpoint.
    pub fn withdraw(
        &mut self,
        source: SourceId,
        revision: u64,
        endpoint: &EndpointId,
    ) -> Result<Vec<Change>, Refused> {
        let held = self.sources.entry(source).or_default();
        held.advance(source, revision)?;
        let newer = |known: &Known| known.revision > revision;
        if held.endpoints.get(endpoint).is_some_and(newer) {
            return Ok(Vec::new());
        }
        let mut touched = Vec::new();
        self.forget(source, endpoint, &mut touched);
        Ok(self.settle(touched))
    }

    /// Gives an endpoint other hosts; what is decided of it stays.
    pub fn rebind(
        &mut self,
        source: SourceId,
        endpoint: &EndpointId,
        hosts: Vec<Bound>,
    ) -> Vec<Change> {
        let known = |held: &Source| held.endpoints.get(endpoint).cloned();
        let Some(known) = self.sources.get(&source).and_then(known) else {
            return Vec::new();
        };
        let decided = Decided {
            hosts,
            ..known.decided.as_ref().clone()
        };
        let mut touched = Vec::new();
        self.put(source, known.revision, decided, &mut touched);
        self.settle(touched)
    }

    /// Gives an endpoint another role, since the name that its source gives to its role means another one now.
    pub fn assign(&mut self, source: SourceId, endpoint: &EndpointId, role: RoleId) -> Vec<Change> {
        let known = |held: &Source| held.endpoints.get(endpoint).cloned();
        let Some(known) = self.sources.get(&source).and_then(known) else {
            return Vec::new();
        };
        let decided = Decided {
            role,
            ..known.decided.as_ref().clone()
        };
        let mut touched = Vec::new();
        self.put(source, known.revision, decided, &mut touched);
        self.settle(touched)
    }

    /// How many endpoints and hosts have a role.
    pub fn users_of(&self, role: RoleId) -> usize {
        let endpoints = self
            .sources
            .values()
            .flat_map(|source| source.endpoints.values());
        let endpoints = endpoints.filter(|known| known.decided.role == role).count();
        endpoints.max(self.counts[usize::from(role.0)])
    }

    /// Ends what ends by this time.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Change> {
        let mut touched = Vec::new();
        while let Some(due) = self.deadlines.pop(now) {
            match due {
                Due::Decision(source, endpoint) => self.forget(source, &endpoint, &mut touched),
                Due::Exception(host) => {
                    self.exceptions.remove(&host);
                    self.places.remove(&host);
                    touched.push(host);
                }
                Due::Adopted(host) => {
                    self.adopted.remove(&host);
                    touched.push(host);
                }
                Due::Unanswered(host) => {
                    self.unanswered.remove(&host);
                    touched.push(host);
                }
            }
        }
        self.settle(touched)
    }

    /// When something ends next: the time to call [`expire`](Self::expire).
    pub fn next_end(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    fn put(&mut self, source: SourceId, revision: u64, decided: Decided, touched: &mut Vec<Host>) {
        let decided = Arc::new(decided);
        let known = Known {
            revision,
            decided: decided.clone(),
        };
        let held = self.sources.entry(source).or_default();
        let Ok(replaced) = held.put(known) else {
            return;
        };
        if let Some(replaced) = replaced {
            self.unlink(source, &replaced.decided, touched);
        }
        self.link(source, &decided, touched);
    }

    fn forget(&mut self, source: SourceId, endpoint: &EndpointId, touched: &mut Vec<Host>) {
        let held = self.sources.get_mut(&source);
        if let Some(known) = held.and_then(|held| held.endpoints.remove(endpoint)) {
            self.unlink(source, &known.decided, touched);
        }
    }

    fn link(&mut self, source: SourceId, decided: &Arc<Decided>, touched: &mut Vec<Host>) {
        let due = Due::Decision(source, decided.endpoint.clone());
        self.deadlines.add(decided.valid_until, due);
        for bound in &decided.hosts {
            touched.push(bound.host);
            self.drop_unanswered(&bound.host);
            self.shares.entry(bound.host).or_default().push(Share {
                source,
                mac: bound.mac,
                decided: decided.clone(),
            });
        }
    }

    fn unlink(&mut self, source: SourceId, decided: &Arc<Decided>, touched: &mut Vec<Host>) {
        let due = Due::Decision(source, decided.endpoint.clone());
        self.deadlines.drop(decided.valid_until, due);
        for Bound { host, .. } in &decided.hosts {
            touched.push(*host);
            let Some(shares) = self.shares.get_mut(host) else {
                continue;
            };
            shares.retain(|share| !Arc::ptr_eq(&share.decided, decided));
            if shares.is_empty() {
                self.shares.remove(host);
            }
        }
    }

    /// The same for many endpoints at once: in one pass, however many of them share a host.
    fn unlink_all(
        &mut self,
        source: SourceId,
        endpoints: &Map<EndpointId, Known>,
        touched: &mut Vec<Host>,
    ) {
        for (endpoint, known) in endpoints {
            let due = Due::Decision(source, endpoint.clone());
            self.deadlines.drop(known.decided.valid_until, due);
        }
        self.shares.retain(|host, shares| {
            let before = shares.len();
            let goes = |share: &Share| {
                share.source == source && endpoints.contains_key(&share.decided.endpoint)
            };
            shares.retain(|share| !goes(share));
            touched.extend((shares.len() < before).then_some(*host));
            !shares.is_empty()
        });
    }

    /// Brings what is held in step with what is known of these hosts.
    fn settle(&mut self, mut hosts: Vec<Host>) -> Vec<Change> {
        hosts.sort_unstable();
        hosts.dedup();
        let hosts = hosts.into_iter();
        hosts.filter_map(|host| self.settle_one(host)).collect()
    }

    fn settle_one(&mut self, host: Host) -> Option<Change> {
        self.settle_holders(&host);
        let wanted = self.resolve(&host);
        let held = match wanted {
            Some(row) => self.held.insert(host, row),
            None => self.held.remove(&host),
        };
        if held == wanted {
            return None;
        }
        if let Some(held) = held {
            self.counts[usize::from(held.role.0)] -= 1;
        }
        if let Some(wanted) = wanted {
            self.counts[usize::from(wanted.role.0)] += 1;
        }
        Some(Change {
            host,
            before: held,
            after: wanted,
        })
    }

    /// What everything known of a host comes to.
    fn resolve(&self, host: &Host) -> Option<Row> {
        if let Some(exception) = self.exceptions.get(host) {
            let mac = self.places.get(host).copied();
            return Some(Row {
                mac,
                ..exception.row()
            });
        }
        let foremost = self.weights.foremost(
            self.decided_rows(host).chain(self.adopted_row(host)),
            |row| *row,
        );
        foremost.or_else(|| self.unanswered.row(host))
    }
}
