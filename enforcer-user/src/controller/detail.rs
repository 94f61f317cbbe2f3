//! Everything that is known of one host.

use enforcer_common::{
    decide::Tables,
    host::{Blocked, FOREVER, Host, HostRow},
    role::RoleId,
    settings::Scope,
};
use jiff::{SignedDuration, Timestamp};

use super::{Controller, explain::failed, hosts::reason_word};
use crate::{
    control::{
        Refusal,
        detail::{AskedView, EndpointView, HostDetail, KernelView, SeenView, StoppedView},
        host::{HostView, Status},
    },
    datapath::DatapathError,
    identity::Mac,
    registry::{Party, Row},
};

/// The most turns that are shown of a host.
const TURNS: usize = 50;

impl Controller {
    pub(super) fn detail(&self, host: Host) -> Result<HostDetail, Refusal> {
        let moments = Moments::now(self).map_err(|error| failed(&error))?;
        let tables = self.datapath.live(0);
        let detail = HostDetail {
            host: self.row_of(&host),
            scope: scope_word(tables.scope(&host)).to_owned(),
            endpoints: self
                .registry
                .parties(&host)
                .map(|one| self.party(&one))
                .collect(),
            seen: self.seen(&host),
            asked: self.datapath.asked(&host).map(|asked| AskedView {
                since: moments.of(asked.since),
                last: moments.of(asked.last),
            }),
            kernel: tables
                .host(&host)
                .map(|row| self.kernel(&host, row, &moments)),
            stopped: self
                .datapath
                .blocked(&host)
                .map(|row| self.stopped(row, &moments)),
            history: self.journal.turns(&host).take(TURNS).cloned().collect(),
        };
        let is_known = self.registry.host(&host).is_some()
            || detail.seen.is_some()
            || detail.asked.is_some()
            || detail.stopped.is_some()
            || !detail.history.is_empty();
        if is_known {
            Ok(detail)
        } else {
            Err(Refusal::no_host(host.address.into()))
        }
    }

    /// What a list says of a host, also when nothing is decided of it.
    fn row_of(&self, host: &Host) -> HostView {
        let interface = self.interface_of(host);
        if let Some(view) = self.registry.host(host) {
            let status = self.standings().of(&view);
            return self.host_view(&view, status, interface);
        }
        let blocked = self.datapath.blocked(host);
        let zone = self.zones.name(host.zone).unwrap_or_default();
        HostView {
            address: host.address.into(),
            zone: zone.to_owned(),
            interface,
            status: Status::NoClient,
            role: self.compiled.roles.name(RoleId::UNKNOWN).to_owned(),
            source: "-".to_owned(),
            endpoint: None,
            owner: None,
            level: None,
            reasons: Vec::new(),
            judged_at: None,
            valid_until: None,
            exception: None,
            shared_by: 0,
            stopped_packets: blocked.map_or(0, |blocked| blocked.packets),
            last_stop_reason: blocked.map(|blocked| reason_word(blocked.reason).to_owned()),
        }
    }

    fn party(&self, party: &Party) -> EndpointView {
        let decided = &party.decided;
        EndpointView {
            endpoint: decided.endpoint.to_string(),
            name: decided.name.clone(),
            owner: decided.owner.clone(),
            source: self.source_name(party.source).to_owned(),
            role: self.compiled.roles.name(decided.role).to_owned(),
            level: decided.level,
            valid_until: decided.valid_until.map(|until| self.clock.to_wall(until)),
            mac: party.mac.map(|mac| mac.to_string()),
        }
    }

    fn seen(&self, host: &Host) -> Option<SeenView> {
        let seen = self.identity.whereabouts(host)?;
        let interface = seen.interface.and_then(|index| self.interface_name(index));
        Some(SeenView {
            mac: seen.mac.to_string(),
            interface: interface.map(ToOwned::to_owned),
            how: seen.how.word().to_owned(),
        })
    }

    fn kernel(&self, host: &Host, row: HostRow, moments: &Moments) -> KernelView {
        let source = row.origin.source();
        let mac = (row.mac != [0; 6]).then_some(Mac(row.mac));
        let until = (row.deadline != FOREVER).then(|| moments.of(row.deadline));
        let held = Row {
            role: row.role,
            source,
            mac,
            until: until.map(|until| self.clock.of_wall(until)),
        };
        let lease_over = self.standings().is_over(source);
        let lease_expired = self.compiled.roles.name(self.compiled.lease_expired);
        KernelView {
            role: self.compiled.roles.name(row.role).to_owned(),
            source: self.source_name(source).to_owned(),
            lease_over: lease_over.then(|| lease_expired.to_owned()),
            mac: mac.map(|mac| mac.to_string()),
            until,
            closing: row.origin.is_closing(),
            in_step: self
                .registry
                .row(host)
                .is_some_and(|wanted| wanted.agrees(&held)),
        }
    }

    fn stopped(&self, row: Blocked, moments: &Moments) -> StoppedView {
        StoppedView {
            packets: row.packets,
            bytes: row.bytes,
            reason: reason_word(row.reason).to_owned(),
            role: self.compiled.roles.name(row.role).to_owned(),
            first: moments.of(row.first),
            last: moments.of(row.last),
            monitored: row.would != 0,
        }
    }
}

/// From the kernel's clock to the one on the wall.
pub(super) struct Moments {
    jiffies: u64,
    now: Timestamp,
    rate: i64,
}

impl Moments {
    pub(super) fn now(controller: &Controller) -> Result<Self, DatapathError> {
        let clock = controller.datapath.clock();
        Ok(Self {
            jiffies: clock.now()?,
            now: controller.clock.to_wall(controller.clock.now()),
            rate: i64::try_from(clock.rate()).unwrap_or(i64::MAX),
        })
    }

    /// The moment of a reading, to the millisecond; the farthest there is when it is out of range.
    pub(super) fn of(&self, jiffies: u64) -> Timestamp {
        let ticks = i64::try_from(jiffies.abs_diff(self.jiffies)).unwrap_or(i64::MAX);
        let millis = ticks.saturating_mul(1000) / self.rate;
        let span = SignedDuration::from_millis(millis);
        let is_past = jiffies <= self.jiffies;
        let moved = if is_past {
            self.now.checked_sub(span)
        } else {
            self.now.checked_add(span)
        };
        moved.unwrap_or(if is_past {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

const fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Checked => "checked",
        Scope::Bypassed => "bypassed",
        Scope::Outside => "outside",
        Scope::Own => "own",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_of_the_kernels_clock_are_moments() {
        let now = Timestamp::from_second(1_000_000).expect("a time");
        let moments = Moments {
            jiffies: 5_000,
            now,
            rate: 250,
        };
        assert_eq!(moments.of(5_000), now);
        assert_eq!(moments.of(4_750).as_second(), 999_999);
        assert_eq!(moments.of(5_500).as_second(), 1_000_002);
        assert_eq!(moments.of(u64::MAX), Timestamp::MAX);
    }
}
