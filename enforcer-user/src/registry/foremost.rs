//! Which of several decisions about a host counts.

use enforcer_common::{
    host::{Host, SourceId},
    limits::SOURCES,
};

use super::{
    Registry,
    row::{Change, Row},
    strictness::strictness,
};

/// How much each source counts, and whether it has gone silent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weights([Weight; SOURCES]);

#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    priority: u8,
    is_silent: bool,
}

impl Weights {
    /// Of a source that there is no row for, as a table that is read back may name one: the least.
    fn of(&self, source: SourceId) -> Weight {
        let weight = self.0.get(usize::from(source.0));
        weight.copied().unwrap_or_default()
    }

    fn is_silent(&self, row: &Row) -> bool {
        self.of(row.source).is_silent
    }

    /// The one that counts.
    pub(super) fn foremost<T>(
        &self,
        candidates: impl Iterator<Item = T> + Clone,
        row: impl Fn(&T) -> Row,
    ) -> Option<T> {
        let rank = |one: &T| {
            let row = row(one);
            (self.of(row.source).priority, row.precedence())
        };
        let first = candidates.clone().max_by_key(rank)?;
        if !self.is_silent(&row(&first)) {
            return Some(first);
        }
        let least = strictness(row(&first).role);
        let holds = |one: &T| {
            let row = row(one);
            !self.is_silent(&row) && strictness(row.role) >= least
        };
        candidates.filter(holds).max_by_key(rank).or(Some(first))
    }
}

impl Registry {
    /// The same registry, in which the decisions of this source count that much.
    #[must_use]
    pub fn with_priority(mut self, source: SourceId, priority: u8) -> Self {
        if let Some(weight) = self.weights.0.get_mut(usize::from(source.0)) {
            weight.priority = priority;
        }
        self
    }

    /// A source has gone silent for longer than its lease, or is heard again.
    pub fn hush(&mut self, source: SourceId, is_silent: bool) -> Vec<Change> {
        let Some(weight) = self.weights.0.get_mut(usize::from(source.0)) else {
            return Vec::new();
        };
        if std::mem::replace(&mut weight.is_silent, is_silent) == is_silent {
            return Vec::new();
        }
        // Where it decides alone, nothing changes here: the kernel itself looks at its lease.
        let shared = self.shares.iter().filter(|(host, shares)| {
            shares.iter().any(|share| share.source == source)
                && shares.len() + usize::from(self.adopted.contains_key(host)) > 1
        });
        let mut touched: Vec<Host> = shared.map(|(host, _)| *host).collect();
        let adopted = self.adopted.iter();
        let adopted =
            adopted.filter(|(host, row)| row.source == source && self.shares.contains_key(host));
        touched.extend(adopted.map(|(host, _)| *host));
        self.settle(touched)
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::{host::Address, role::RoleId};

    use super::*;
    use crate::{
        identity::Bound,
        registry::properties::{decided, exception},
    };

    const SERVER: SourceId = SourceId::MANAGEMENT;
    const LIST: SourceId = SourceId::FIRST_NAMED;
    const HOST: Host = Host {
        zone: 0,
        address: Address::v4([10, 0, 0, 1]),
    };

    fn registry(server: RoleId, list: RoleId) -> Registry {
        let mut registry = Registry::default();
        decide(&mut registry, SERVER, server);
        decide(&mut registry, LIST, list);
        registry
    }

    fn decide(registry: &mut Registry, source: SourceId, role: RoleId) {
        let hosts = vec![Bound {
            host: HOST,
            mac: None,
        }];
        let decided = decided("a", role, hosts);
        registry.decide(source, 1, decided).expect("the first");
    }

    fn counts(registry: &Registry) -> (RoleId, SourceId) {
        let view = registry.host(&HOST).expect("decided");
        assert_eq!(view.decided_by, Some(view.row.source));
        (view.row.role, view.row.source)
    }

    #[test]
    fn exceptions_come_first_then_priority_then_the_strictest() {
        let (strict, mild) = (RoleId::QUARANTINE, RoleId::AUTHORIZED);
        assert_eq!(counts(&registry(strict, mild)), (strict, SERVER));
        assert_eq!(counts(&registry(mild, strict)), (strict, LIST));
        let mut preferred = Registry::default().with_priority(LIST, 1);
        decide(&mut preferred, SERVER, strict);
        decide(&mut preferred, LIST, mild);
        assert_eq!(counts(&preferred), (mild, LIST));
        preferred.except(HOST, exception(RoleId::DENIED, None));
        let row = preferred.host(&HOST).expect("decided").row;
        assert_eq!((row.role, row.source), (RoleId::DENIED, SourceId::OPERATOR));
    }

    #[test]
    fn a_silent_source_yields_to_one_that_is_at_least_as_strict() {
        let (strict, mild) = (RoleId::QUARANTINE, RoleId::AUTHORIZED);
        let mut equal = registry(mild, mild);
        assert_eq!(counts(&equal), (mild, SERVER));
        assert_eq!(equal.hush(SERVER, true).len(), 1);
        assert_eq!(counts(&equal), (mild, LIST));
        assert_eq!(equal.hush(SERVER, true), [], "it was silent before");
        assert_eq!(equal.hush(SERVER, false).len(), 1);
        assert_eq!(counts(&equal), (mild, SERVER));

        let mut stricter = registry(strict, mild);
        assert_eq!(stricter.hush(SERVER, true), []);
        assert_eq!(counts(&stricter), (strict, SERVER), "nobody gains by it");

        let mut both = registry(mild, mild);
        both.hush(SERVER, true);
        both.hush(LIST, true);
        assert_eq!(counts(&both), (mild, SERVER));
    }
}
