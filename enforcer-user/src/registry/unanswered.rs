//! Hosts of which the management server knows nothing.
//!
//! Such an answer is kept for a while, so that the host is stopped at once instead of after the time
//! that unknown hosts are held.

use std::num::NonZeroUsize;

use enforcer_common::{
    host::{Host, SourceId},
    role::RoleId,
};
use jiff::Timestamp;
use lru::LruCache;

use super::{
    Registry,
    deadlines::Due,
    row::{Change, Row},
};

/// How many such hosts are kept. A flood of made-up addresses costs no more rows than this; a host
/// that fell out is only held until the timeout again.
pub const UNANSWERED: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

#[derive(Debug)]
pub(super) struct Unanswered(LruCache<Host, Timestamp>);

impl Default for Unanswered {
    fn default() -> Self {
        Self(LruCache::new(UNANSWERED))
    }
}

impl Unanswered {
    /// At most a quarter of the rows that there are, so that made-up addresses leave room for decisions.
    pub(super) fn for_table(rows: u32) -> Self {
        let quarter = NonZeroUsize::new(rows as usize / 4).unwrap_or(NonZeroUsize::MIN);
        Self(LruCache::new(quarter.min(UNANSWERED)))
    }

    pub(super) fn remove(&mut self, host: &Host) -> Option<Timestamp> {
        self.0.pop(host)
    }

    pub(super) fn row(&self, host: &Host) -> Option<Row> {
        self.0.peek(host).map(|until| Row {
            role: RoleId::UNKNOWN,
            source: SourceId::MANAGEMENT,
            mac: None,
            until: Some(*until),
        })
    }
}

impl Registry {
    /// Takes the answer that the management server knows nothing of a host. Whatever is decided of it
    /// counts more.
    pub fn answer_unknown(&mut self, host: Host, until: Timestamp) -> Vec<Change> {
        if self.shares.contains_key(&host) {
            return Vec::new();
        }
        let mut touched = vec![host];
        // What falls out is the former answer about this host, or the one least recently renewed.
        if let Some((fallen, ended)) = self.unanswered.0.push(host, until) {
            self.deadlines.drop(Some(ended), Due::Unanswered(fallen));
            touched.push(fallen);
        }
        self.deadlines.add(Some(until), Due::Unanswered(host));
        self.settle(touched)
    }

    pub(super) fn drop_unanswered(&mut self, host: &Host) {
        if let Some(until) = self.unanswered.remove(host) {
            self.deadlines.drop(Some(until), Due::Unanswered(*host));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use enforcer_common::host::Address;

    fn host(number: u32) -> Host {
        Host {
            zone: 0,
            address: Address::v4(number.to_be_bytes()),
        }
    }

    #[test]
    fn the_oldest_answer_falls_out_of_the_kernel_too() {
        let until = Timestamp::from_second(1).expect("a time");
        let mut registry = Registry::default();
        for number in 0..4096 {
            assert_eq!(registry.answer_unknown(host(number), until).len(), 1);
        }
        assert!(
            registry.answer_unknown(host(0), until).is_empty(),
            "renewed"
        );
        let changes = registry.answer_unknown(host(4096), until);
        let fallen = changes.iter().find(|change| change.host == host(1));
        assert!(fallen.is_some_and(|change| change.after.is_none()));
        assert_eq!(registry.hosts().count(), 4096);
        assert_eq!(registry.expire(until).len(), 4096);
        assert_eq!(registry.next_end(), None);
    }
}
