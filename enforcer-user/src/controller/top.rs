//! Who is stopped most: what the datapath remembers of stopped hosts, and how fast it grows.

use std::{
    cmp::Reverse,
    collections::HashMap,
    time::{Duration, Instant},
};

use enforcer_common::host::{Blocked, Host};

use super::{Controller, detail::Moments, explain::failed, hosts::reason_word};
use crate::control::{
    Refusal,
    top::{MAX_TOP, TopBy, TopHost, TopQuery, TopView},
};

/// Rates are measured over at least this, also when several ask at once.
const LEAST: Duration = Duration::from_millis(500);

/// After so long without a question nothing is remembered.
const FORGOTTEN: Duration = Duration::from_mins(1);

/// Packets and bytes of each stopped host at a moment.
#[derive(Debug)]
struct Sample {
    at: Instant,
    rows: HashMap<Host, (u64, u64)>,
}

/// The last two samples, as large as the datapath's memory of stopped hosts.
#[derive(Debug, Default)]
pub(super) struct Samples {
    last: Option<Sample>,
    before: Option<Sample>,
}

/// How fast a row grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rate {
    packets: u64,
    bytes: u64,
}

impl Samples {
    /// How fast each row grows, since a sample that is old enough. Over how long; zero when there is none.
    fn rates(&mut self, rows: &[(Host, Blocked)], now: Instant) -> (Vec<Rate>, Duration) {
        let is_old = |sample: &Sample| now.duration_since(sample.at) >= LEAST;
        let is_due = self.last.as_ref().is_none_or(is_old);
        if is_due {
            let rows = rows
                .iter()
                .map(|(host, row)| (*host, (row.packets, row.bytes)));
            let rows = rows.collect();
            self.before = self.last.replace(Sample { at: now, rows });
        }
        let Some(base) = &self.before else {
            return (vec![Rate::default(); rows.len()], Duration::ZERO);
        };
        let over = now.duration_since(base.at);
        let rate = |(host, row): &(Host, Blocked)| {
            let (packets, bytes) = base.rows.get(host).copied().unwrap_or_default();
            // A row that was forgotten and came back counts anew.
            let grown = |now: u64, then: u64| if now < then { now } else { now - then };
            Rate {
                packets: per_second(grown(row.packets, packets), over),
                bytes: per_second(grown(row.bytes, bytes), over),
            }
        };
        (rows.iter().map(rate).collect(), over)
    }

    /// Forgets everything when nobody has asked for long.
    pub(super) fn forget(&mut self, now: Instant) {
        let is_stale = |sample: &Sample| now.duration_since(sample.at) >= FORGOTTEN;
        if self.last.as_ref().is_some_and(is_stale) {
            *self = Self::default();
        }
    }
}

fn per_second(count: u64, over: Duration) -> u64 {
    let millis = over.as_millis().max(1);
    let rate = (u128::from(count) * 1000).div_ceil(millis);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

impl Controller {
    pub(super) fn top(&mut self, query: TopQuery) -> Result<TopView, Refusal> {
        let rows = self
            .datapath
            .all_blocked()
            .map_err(|error| failed(&error))?;
        let moments = Moments::now(self).map_err(|error| failed(&error))?;
        let (rates, over) = self.samples.rates(&rows, Instant::now());
        let stopped = rows.len() as u64;
        let packets_per_second = rates.iter().map(|rate| rate.packets).sum();
        let mut order: Vec<_> = rows.into_iter().zip(rates).collect();
        order.sort_unstable_by_key(|((host, row), rate)| {
            let first = match query.by {
                TopBy::Rate => (rate.packets, row.last),
                TopBy::Packets => (row.packets, row.last),
                TopBy::Bytes => (row.bytes, row.last),
                TopBy::Last => (row.last, row.packets),
            };
            (Reverse(first), *host)
        });
        order.truncate(query.limit.min(MAX_TOP) as usize);
        let host = |((host, row), rate): ((Host, Blocked), Rate)| TopHost {
            address: host.address.into(),
            zone: self.zones.name(host.zone).unwrap_or_default().to_owned(),
            role: self.compiled.roles.name(row.role).to_owned(),
            reason: reason_word(row.reason).to_owned(),
            packets_per_second: rate.packets,
            bytes_per_second: rate.bytes,
            packets: row.packets,
            bytes: row.bytes,
            last: moments.of(row.last),
            monitored: row.would != 0,
        };
        Ok(TopView {
            hosts: order.into_iter().map(host).collect(),
            stopped,
            packets_per_second,
            over_milliseconds: u64::try_from(over.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use enforcer_common::host::Address;

    use super::*;

    fn row(last: u8, packets: u64) -> (Host, Blocked) {
        let host = Host {
            zone: 0,
            address: Address::v4([10, 0, 0, last]),
        };
        let mut blocked = Blocked::zeroed();
        (blocked.packets, blocked.bytes) = (packets, packets * 100);
        (host, blocked)
    }

    #[test]
    fn rates_are_measured_between_looks_that_are_far_enough_apart() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut samples = Samples::default();
        let (_, over) = samples.rates(&[row(1, 10)], start);
        assert_eq!(over, Duration::ZERO);
        let (rates, over) = samples.rates(&[row(1, 30), row(2, 5)], at(1000));
        assert_eq!(over, Duration::from_secs(1));
        let expected = [(20, 2000), (5, 500)].map(|(packets, bytes)| Rate { packets, bytes });
        assert_eq!(rates, expected);
        // Another who asks at the same time takes nothing away from the first.
        let (rates, over) = samples.rates(&[row(1, 31)], at(1100));
        assert_eq!((rates[0].packets, over.as_millis()), (20, 1100));
        // A row that was forgotten meanwhile counts anew.
        let (rates, _) = samples.rates(&[row(1, 4)], at(2000));
        assert_eq!(rates[0].packets, 4);
        samples.forget(at(2100));
        assert!(samples.last.is_some());
        samples.forget(at(70_000));
        assert!(samples.last.is_none() && samples.before.is_none());
    }
}
