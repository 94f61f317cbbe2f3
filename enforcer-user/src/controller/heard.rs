//! What is known of a source beside its decisions.

use std::time::Duration;

use enforcer_common::host::{FOREVER, SourceId};

use super::{Controller, guard::Guard};
use crate::sources::Profile;

/// What is known of a source beside its decisions.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) profile: Profile,
    pub(super) connected: bool,
    /// Where it was heard last.
    pub(super) at: Option<String>,
    pub(super) last_error: Option<String>,
    /// Which of its servers the revisions are of that the registry holds.
    pub(super) server: Option<usize>,
    pub(super) guard: Guard,
    /// The lease whose end has been followed by forgetting connections.
    pub(super) lapsed: Option<u64>,
    /// Whether it was said that its lease is over.
    pub(super) lease_is_over: bool,
}

impl Heard {
    /// Nothing yet.
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            guard: Guard::new(profile.max_shrink),
            profile,
            connected: false,
            at: None,
            last_error: None,
            server: None,
            lapsed: None,
            lease_is_over: false,
        }
    }
}

impl Controller {
    /// The name of a source.
    pub(super) fn source_name(&self, source: SourceId) -> &str {
        match source {
            SourceId::GATEWAY => "gateway",
            SourceId::OPERATOR => "operator",
            _ => self
                .sources
                .get(&source)
                .map_or("unknown", |heard| &heard.profile.name),
        }
    }

    /// For how long the decisions of a source still hold if it stays silent: none where that has no end, zero where it
    /// is over, or where nobody can say.
    pub(super) fn lease_left(&self, source: SourceId) -> Option<Duration> {
        let clock = self.datapath.clock();
        let (Ok(until), Ok(now)) = (self.datapath.lease(source), clock.now()) else {
            return Some(Duration::ZERO);
        };
        (until != FOREVER).then(|| clock.duration(until.saturating_sub(now)))
    }

    /// The same in seconds, rounded up: 0 means over.
    pub(super) fn lease_seconds(&self, source: SourceId) -> Option<u64> {
        let left = self.lease_left(source)?;
        Some(left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }

    /// What a source decided counts less once it is silent for longer than its lease, and as before when it is heard.
    pub(super) fn hush_silent(&mut self) {
        let sources: Vec<SourceId> = self.sources.keys().copied().collect();
        for source in sources {
            let is_silent = self.lease_seconds(source) == Some(0);
            let changes = self.registry.hush(source, is_silent);
            if !changes.is_empty() {
                self.put_in_force(changes);
            }
        }
    }
}
