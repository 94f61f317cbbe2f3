//! Hosts that are cut, by a change or by the end of a lease: what they had open is to go.

use std::time::Instant;

use enforcer_common::{
    decide::Tables,
    host::{Host, SourceId},
    role::{RoleId, RoleRow},
    settings::Scope,
};

use super::{Controller, closing::CLOSING};
use crate::{
    config::Mode,
    registry::{Change, Row},
};

impl Controller {
    /// Hosts that these changes cut are closing for a while; those that they let in are not.
    pub(super) fn begin_closing<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) {
        let now = Instant::now();
        for change in changes {
            let host = change.host;
            let passes = self.lets_pass(&host, change.after);
            if passes {
                self.forgetter.spare(&host);
            }
            let was_in = !passes && self.lets_pass(&host, change.before);
            self.closing.take(host, was_in, passes, now);
        }
    }

    /// The same when enforcement begins: whoever is stopped now had passed.
    pub(super) fn begin_closing_stopped(&mut self) {
        let now = Instant::now();
        let rows = self.registry.held();
        let stopped = rows.filter(|(host, row)| !self.lets_pass(host, Some(**row)));
        let stopped: Vec<_> = stopped.map(|(host, _)| *host).collect();
        for host in &stopped {
            self.closing.begin(*host, now);
        }
        self.write_again(&stopped);
    }

    /// Forgets the connections of hosts that have been closing for long enough.
    pub(super) fn end_closing(&mut self) {
        let now = Instant::now();
        let mut closed = Vec::new();
        for host in self.closing.ended(now) {
            if self.retry.awaits(&host) {
                // It is not cut yet: its packets would only make new entries.
                self.closing.begin(host, now);
            } else {
                self.forgetter.forget(host);
                closed.push(host);
            }
        }
        self.write_again(&closed);
        self.forget_lapsed();
        self.forgetter.hand_over();
    }

    /// Writes the rows of hosts again, in which the kernel is told whether they are closing.
    pub(super) fn write_again(&mut self, hosts: &[Host]) {
        let rows = hosts.iter().filter_map(|host| {
            let row = Some(self.registry.row(host)?);
            let (before, after) = (row, row);
            Some(Change {
                host: *host,
                before,
                after,
            })
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            self.put_in_force(rows);
        }
    }

    /// A lease that is over cuts the hosts of its source without a change of theirs.
    fn forget_lapsed(&mut self) {
        let sources: Vec<SourceId> = self.sources.keys().copied().collect();
        for source in sources {
            self.forget_lapsed_of(source);
        }
    }

    fn forget_lapsed_of(&mut self, source: SourceId) {
        let clock = self.datapath.clock();
        let (Ok(until), Ok(now)) = (self.datapath.lease(source), clock.now()) else {
            return;
        };
        let Some(heard) = self.sources.get_mut(&source) else {
            return;
        };
        let is_over = now.saturating_sub(until) >= clock.ticks(CLOSING);
        if !is_over || heard.lapsed == Some(until) {
            return;
        }
        heard.lapsed = Some(until);
        let goes_on = self.compiled.fail.lease_expired.is_open();
        if goes_on || self.stops_nothing(self.compiled.lease_expired) {
            return;
        }
        for (host, row) in self.registry.held() {
            if row.source == source && self.lets_pass(host, Some(*row)) {
                self.forgetter.forget(*host);
            }
        }
    }

    /// Whether packets of a host with this row pass, rules aside.
    fn lets_pass(&self, host: &Host, row: Option<Row>) -> bool {
        let is_checked = || self.datapath.live(0).scope(host) == Scope::Checked;
        self.stops_nothing(match row {
            Some(row) => row.role,
            None if is_checked() => RoleId::UNKNOWN,
            None => RoleId::BYPASS,
        })
    }

    /// Whether packets of hosts with this role pass, rules aside.
    pub(super) fn stops_nothing(&self, role: RoleId) -> bool {
        let rows = self.compiled.role_rows.iter();
        let mut rows = rows.filter(|(number, _)| *number == role);
        let passes = |row: &RoleRow| row.has(RoleRow::ALLOW) || row.has(RoleRow::MONITOR);
        self.mode == Mode::Monitor || rows.any(|(_, row)| passes(row))
    }
}
