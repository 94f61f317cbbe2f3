//! What a whole snapshot would take away.

use std::{collections::HashSet, hash::BuildHasher};

use enforcer_common::host::{Host, SourceId};

use super::Registry;
use crate::config::Share;

/// So few hosts may always be taken back: a share of few is soon exceeded.
pub const FEW: usize = 10;

/// The hosts that a snapshot would leave undecided by its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shrink {
    /// How many hosts the source decides of now.
    pub had: usize,
    /// Those of them that the snapshot does not name.
    pub lost: HashSet<Host>,
}

impl Shrink {
    /// Whether it is more than a source may take back at once.
    pub fn exceeds(&self, share: Share) -> bool {
        self.lost.len() >= FEW && share.is_exceeded(self.lost.len(), self.had)
    }
}

impl Registry {
    /// What a snapshot of a source that names these hosts would take away, also of what was left by an earlier process.
    pub fn shrink<S: BuildHasher>(&self, source: SourceId, named: &HashSet<Host, S>) -> Shrink {
        let shares = self.shares.iter().filter_map(|(host, shares)| {
            let is_of_it = shares.iter().any(|share| share.source == source);
            is_of_it.then_some(*host)
        });
        let left = self.adopted.keys().filter_map(|host| {
            let row = self.adopted_row(host)?;
            (row.source == source).then_some(*host)
        });
        let mut shrink = Shrink::default();
        for host in shares.chain(left) {
            shrink.had += 1;
            if !named.contains(&host) {
                shrink.lost.insert(host);
            }
        }
        shrink
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::{host::Address, role::RoleId};

    use super::*;
    use crate::{
        identity::Bound,
        registry::{Row, properties::decided},
    };

    fn host(last: u8) -> Host {
        Host {
            zone: 0,
            address: Address::v4([10, 0, 0, last]),
        }
    }

    #[test]
    fn what_is_decided_and_what_was_left_count() {
        let row = |source| Row {
            role: RoleId::AUTHORIZED,
            source,
            mac: None,
            until: None,
        };
        let (server, other) = (SourceId::MANAGEMENT, SourceId::FIRST_NAMED);
        let left = (0..20).map(|last| (host(last), row(server)));
        let left = left.chain([(host(99), row(other))]);
        let mut registry = Registry::default();
        registry.adopt(&[server, other], left, []);
        let bound = Bound {
            host: host(0),
            mac: None,
        };
        let answer = decided("a", RoleId::AUTHORIZED, vec![bound]);
        registry.answer(server, 1, answer).expect("the first");

        let named = |hosts: std::ops::Range<u8>| hosts.map(host).collect::<HashSet<_>>();
        let shrink = registry.shrink(server, &named(0..14));
        assert_eq!((shrink.had, &shrink.lost), (20, &named(14..20)));
        assert!(!shrink.exceeds(Share::default()), "just 30 %");
        let shrink = registry.shrink(server, &named(0..10));
        assert!(shrink.exceeds(Share::default()));
        assert!(
            !registry
                .shrink(other, &named(0..1))
                .exceeds(Share::default()),
            "only one"
        );
    }
}
