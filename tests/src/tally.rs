//! What the programs counted between two looks.

use enforcer::datapath::{Datapath, DatapathError};
use enforcer_common::{
    counter::{Counter, Hook, Outcome, row},
    decide::Reason,
};

/// The counters as they were.
pub struct Tally(Vec<Counter>);

impl Tally {
    /// Looks at the counters.
    pub fn of(datapath: &Datapath) -> Result<Self, DatapathError> {
        Ok(Self(datapath.counter_rows()?))
    }

    /// The rows that grew until `later`, with the packets and bytes that they grew by.
    pub fn until(&self, later: &Self) -> Vec<(u32, Counter)> {
        (0_u32..)
            .zip(self.0.iter().zip(&later.0))
            .filter(|(_, (before, after))| before != after)
            .map(|(row, (before, after))| {
                let grown = Counter {
                    packets: after.packets - before.packets,
                    bytes: after.bytes - before.bytes,
                };
                (row, grown)
            })
            .collect()
    }
}

/// What one packet of this length must have made of the counters.
pub fn one(hook: Hook, outcome: Outcome, reason: Reason, length: usize) -> Vec<(u32, Counter)> {
    let counter = Counter {
        packets: 1,
        bytes: length as u64,
    };
    vec![(row(hook, outcome, reason), counter)]
}
