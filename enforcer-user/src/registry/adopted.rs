//! The kernel table: what it held at start, and what it holds now.

use std::collections::HashSet;

use enforcer_common::host::{Host, SourceId};

use super::{
    Registry,
    deadlines::Due,
    decided::Exception,
    row::{Change, Row},
};

impl Registry {
    /// Takes over what the kernel held when this process started, with the stored exceptions. Rows of
    /// the sources that are awaited stay until the first snapshot of their source confirms or withdraws
    /// them; all others go, unless an exception says the same.
    pub fn adopt(
        &mut self,
        awaited: &[SourceId],
        rows: impl IntoIterator<Item = (Host, Row)>,
        exceptions: impl IntoIterator<Item = (Host, Exception)>,
    ) -> Vec<Change> {
        let mut touched = Vec::new();
        for (host, row) in rows {
            self.held.insert(host, row);
            self.counts[usize::from(row.role.0)] += 1;
            touched.push(host);
            if awaited.contains(&row.source) {
                self.adopted.insert(host, row);
                self.deadlines.add(row.until, Due::Adopted(host));
            }
        }
        for (host, exception) in exceptions {
            self.deadlines.add(exception.until, Due::Exception(host));
            let held = self.held.get(&host);
            self.places
                .extend(held.and_then(|row| row.mac).map(|mac| (host, mac)));
            self.exceptions.insert(host, exception);
            touched.push(host);
        }
        self.settle(touched)
    }

    /// What has to change in the kernel table, whose rows these are, to be as it should.
    pub fn reconcile(&self, rows: impl IntoIterator<Item = (Host, Row)>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut found = HashSet::with_capacity(self.held.len());
        for (host, row) in rows {
            let held = self.held.get(&host).copied();
            if held.is_some() {
                found.insert(host);
            }
            if !held.is_some_and(|held| held.agrees(&row)) {
                changes.push(Change {
                    host,
                    before: Some(row),
                    after: held,
                });
            }
        }
        let missing = self.held.iter().filter(|(host, _)| !found.contains(*host));
        changes.extend(missing.map(|(host, row)| Change {
            host: *host,
            before: None,
            after: Some(*row),
        }));
        changes
    }

    /// The row that a source left behind, unless it has decided of the host since.
    pub(super) fn adopted_row(&self, host: &Host) -> Option<Row> {
        let row = self.adopted.get(host)?;
        let shares = self.shares_of(host);
        let decided = shares.iter().any(|share| share.source == row.source);
        (!decided).then_some(*row)
    }

    /// Gives up what a source left behind: it has told everything anew.
    pub(super) fn drop_adopted(&mut self, source: SourceId) -> Vec<Host> {
        let dropped: Vec<_> = self
            .adopted
            .extract_if(|_, row| row.source == source)
            .collect();
        for (host, row) in &dropped {
            self.deadlines.drop(row.until, Due::Adopted(*host));
        }
        dropped.into_iter().map(|(host, _)| host).collect()
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::{host::Address, role::RoleId};
    use jiff::{Timestamp, ToSpan};

    use super::*;
    use crate::{
        identity::Bound,
        registry::properties::{decided, exception},
    };

    fn host(last: u8) -> Host {
        Host {
            zone: 0,
            address: Address::v4([10, 0, 0, last]),
        }
    }

    fn row(role: RoleId, source: SourceId) -> Row {
        Row {
            role,
            source,
            mac: None,
            until: None,
        }
    }

    #[test]
    fn rows_that_nobody_vouches_for_go() {
        let rows = [
            (host(1), row(RoleId::AUTHORIZED, SourceId::OPERATOR)),
            (host(2), row(RoleId::AUTHORIZED, SourceId::OPERATOR)),
            (host(3), row(RoleId::AUTHORIZED, SourceId(9))),
        ];
        let kept = exception(RoleId::AUTHORIZED, None);
        let mut registry = Registry::default();
        let changes = registry.adopt(&[SourceId::MANAGEMENT], rows, [(host(1), kept)]);
        let gone = rows[1..].iter().map(|(host, row)| Change {
            host: *host,
            before: Some(*row),
            after: None,
        });
        let gone: Vec<_> = gone.collect();
        assert_eq!(changes, gone);
    }

    #[test]
    fn an_answer_takes_the_place_of_an_adopted_row() {
        let denied = row(RoleId::DENIED, SourceId::MANAGEMENT);
        let mut registry = Registry::default();
        registry.adopt(&[SourceId::MANAGEMENT], [(host(1), denied)], []);
        let bound = Bound {
            host: host(1),
            mac: None,
        };
        let answer = decided("a", RoleId::AUTHORIZED, vec![bound]);
        let changes = registry.answer(SourceId::MANAGEMENT, 5, answer);
        let authorized = row(RoleId::AUTHORIZED, SourceId::MANAGEMENT);
        let change = Change {
            host: host(1),
            before: Some(denied),
            after: Some(authorized),
        };
        assert_eq!(changes, Ok(vec![change]));
    }

    #[test]
    fn drift_is_repaired() {
        let until = Timestamp::from_second(1000).expect("a time");
        let mut registry = Registry::default();
        registry.except(host(1), exception(RoleId::DENIED, Some(until)));
        registry.except(host(2), exception(RoleId::DENIED, None));
        let right = row(RoleId::DENIED, SourceId::OPERATOR);
        let rounded = Row {
            until: Some(until + 4.milliseconds()),
            ..right
        };
        let wrong = row(RoleId::AUTHORIZED, SourceId::OPERATOR);
        let kernel = [(host(1), rounded), (host(2), wrong), (host(3), right)];
        let change = |last, before, after| Change {
            host: host(last),
            before,
            after,
        };
        let repairs = [
            change(2, Some(wrong), Some(right)),
            change(3, Some(right), None),
        ];
        assert_eq!(registry.reconcile(kernel), repairs);
        let missing = [change(2, None, Some(right))];
        assert_eq!(registry.reconcile([(host(1), rounded)]), missing);
    }
}
