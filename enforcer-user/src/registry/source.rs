//! What one source has decided.

use std::{collections::hash_map::Entry, sync::Arc};

use enforcer_common::host::SourceId;

use super::{Map, decided::Decided};
use crate::identity::EndpointId;

/// Why something that a source says is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The source goes back in time.
    #[error("source {}: revision {offered} is older than revision {held}, which is held", by.0)]
    Older {
        /// The source.
        by: SourceId,
        /// The revision that it offers.
        offered: u64,
        /// The revision that is held.
        held: u64,
    },
    /// An answer was overtaken by the stream of the same source.
    #[error(
        "source {}: the answer about endpoint {endpoint} at revision {offered} was overtaken by later decisions", by.0
    )]
    Overtaken {
        /// The source.
        by: SourceId,
        /// The endpoint.
        endpoint: EndpointId,
        /// The revision of the answer.
        offered: u64,
    },
}

/// A decision with the revision at which the source made it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) revision: u64,
    pub(super) decided: Arc<Decided>,
}

/// Everything that one source has decided.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The revision up to which everything is known.
    pub(super) revision: Option<u64>,
    /// Whether a whole snapshot has come: what is not in `endpoints` is not decided.
    pub(super) complete: bool,
    pub(super) endpoints: Map<EndpointId, Known>,
}

impl Source {
    /// Moves on to this revision.
    pub(super) fn advance(&mut self, by: SourceId, offered: u64) -> Result<(), Refused> {
        if let Some(held) = self.revision.filter(|held| offered < *held) {
            return Err(Refused::Older { by, offered, held });
        }
        self.revision = Some(offered);
        Ok(())
    }

    /// Forgets how far the source had come: what it says next is counted anew, and takes the place of everything.
    pub(super) fn begin_anew(&mut self) {
        self.revision = None;
        for known in self.endpoints.values_mut() {
            known.revision = 0;
        }
    }

    /// Whether an answer of this revision may still be taken. An endpoint that is not held although the
    /// stream has gone past the answer was withdrawn meanwhile.
    pub(super) fn admit_answer(
        &self,
        by: SourceId,
        endpoint: &EndpointId,
        offered: u64,
    ) -> Result<(), Refused> {
        let least = match self.endpoints.get(endpoint) {
            Some(known) => Some(known.revision),
            None => self.revision.filter(|_| self.complete),
        };
        if least.is_some_and(|least| offered < least) {
            let endpoint = endpoint.clone();
            return Err(Refused::Overtaken {
                by,
                endpoint,
                offered,
            });
        }
        Ok(())
    }

    /// Takes out every decision that is no newer than this revision.
    pub(super) fn take_up_to(&mut self, revision: u64) -> Map<EndpointId, Known> {
        let no_newer = |_: &EndpointId, known: &mut Known| known.revision <= revision;
        self.endpoints.extract_if(no_newer).collect()
    }

    /// Keeps a decision unless a newer one of the endpoint is held. Returns what it takes the place of,
    /// or `Err` when it is the older one.
    pub(super) fn put(&mut self, known: Known) -> Result<Option<Known>, Known> {
        match self.endpoints.entry(known.decided.endpoint.clone()) {
            Entry::Occupied(held) if held.get().revision > known.revision => Err(known),
            Entry::Occupied(mut held) => Ok(Some(held.insert(known))),
            Entry::Vacant(free) => {
                free.insert(known);
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::role::RoleId;

    use super::*;
    use crate::registry::{Registry, properties::decided};

    const BY: SourceId = SourceId::MANAGEMENT;

    #[test]
    fn older_revisions_are_refused() {
        let mut registry = Registry::default();
        let decision = || decided("a", RoleId::DENIED, vec![]);
        registry
            .replace(BY, 7, vec![decision()])
            .expect("the first");
        let older = Err(Refused::Older {
            by: BY,
            offered: 6,
            held: 7,
        });
        assert_eq!(registry.replace(BY, 6, vec![]), older);
        assert_eq!(registry.decide(BY, 6, decision()), older);
        assert_eq!(registry.withdraw(BY, 6, &"a".into()), older);
        assert_eq!(registry.endpoints(BY), 1);
    }

    #[test]
    fn answers_count_unless_the_stream_overtook_them() {
        let role = |registry: &Registry| registry.sources[&BY].endpoints["a"].decided.role;
        let mut registry = Registry::default();
        let decision = |role| decided("a", role, vec![]);
        let answer = registry.answer(BY, 8, decision(RoleId::DENIED));
        assert!(answer.is_ok() && registry.revision(BY).is_none());
        let snapshot = vec![decision(RoleId::AUTHORIZED)];
        registry.replace(BY, 7, snapshot).expect("the first");
        assert_eq!(role(&registry), RoleId::DENIED, "the answer is newer");
        registry.withdraw(BY, 9, &"a".into()).expect("newer");
        let late = registry.answer(BY, 8, decision(RoleId::AUTHORIZED));
        assert!(matches!(late, Err(Refused::Overtaken { .. })), "{late:?}");
    }
}
