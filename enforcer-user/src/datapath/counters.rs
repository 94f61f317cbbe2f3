//! Counters and stopped hosts.

use std::os::fd::AsFd;

use aya::maps::MapError;
use enforcer_common::{
    counter::{self, Counter, Hook, Outcome},
    decide::Reason,
    host::{Asked, Blocked, Host, HostKey},
};

use super::{Datapath, DatapathError, batch, plain::Plain, policy::map};

/// Packets and bytes of one hook, outcome and reason, summed over the CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where.
    pub hook: &'static str,
    /// What became of them.
    pub outcome: &'static str,
    /// Why.
    pub reason: &'static str,
    /// How many.
    pub packets: u64,
    /// How many bytes, with link headers.
    pub bytes: u64,
}

impl Datapath {
    /// Every counter, also those that stand at zero.
    pub fn counters(&self) -> Result<Vec<Sample>, DatapathError> {
        let mut samples = Vec::new();
        for (hook, hook_name) in Hook::ALL {
            for (outcome, outcome_name) in Outcome::ALL {
                for &(reason, reason_name) in Reason::ALL {
                    let Counter { packets, bytes } =
                        self.counter(counter::row(hook, outcome, reason))?;
                    samples.push(Sample {
                        hook: hook_name,
                        outcome: outcome_name,
                        reason: reason_name,
                        packets,
                        bytes,
                    });
                }
            }
        }
        Ok(samples)
    }

    /// The rows of packets, in the order of [`counter::row`].
    pub fn counter_rows(&self) -> Result<Vec<Counter>, DatapathError> {
        (0..counter::ROWS).map(|row| self.counter(row)).collect()
    }

    /// Events that found the ring full.
    pub fn lost_events(&self) -> Result<u64, DatapathError> {
        Ok(self.counter(counter::LOST_EVENTS)?.packets)
    }

    /// What was stopped of every host that is remembered as stopped.
    pub fn all_blocked(&self) -> Result<Vec<(Host, Blocked)>, DatapathError> {
        let rows = batch::read::<HostKey, Blocked>(self.maps.blocked_rows.fd().as_fd());
        let rows = rows.map_err(|error| DatapathError::Map {
            name: "BLOCKED",
            error: MapError::IoError(error),
        })?;
        Ok(rows
            .into_iter()
            .map(|(key, row)| (key.into(), row))
            .collect())
    }

    /// When the datapath asked about a host of which nothing was decided.
    pub fn asked(&self, host: &Host) -> Option<Asked> {
        let asked = self.maps.asked.get(&Plain(host.key()), 0);
        asked.ok().map(|Plain(asked)| asked)
    }

    /// What was stopped of a host.
    pub fn blocked(&self, host: &Host) -> Option<Blocked> {
        self.maps
            .blocked
            .get(&Plain(host.key()), 0)
            .ok()
            .map(|Plain(blocked)| blocked)
    }

    fn counter(&self, row: u32) -> Result<Counter, DatapathError> {
        let values = self.maps.counters.get(&row, 0).map_err(map("COUNTERS"))?;
        Ok(values
            .iter()
            .fold(Counter::default(), |sum, Plain(one)| Counter {
                packets: sum.packets + one.packets,
                bytes: sum.bytes + one.bytes,
            }))
    }
}
