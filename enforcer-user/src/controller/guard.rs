//! What a source may take back at once, before it is asked again.
//!
//! A server that has lost its database, a list that is copied while it is read, or somebody who has taken the server
//! over: all would take decisions from many hosts at a stroke. A snapshot that does so is held, and applied once the
//! source has said the same a second time.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use enforcer_common::host::Host;

use crate::{
    config::Share,
    registry::{FEW, Shrink},
};

/// Withdrawals within this time count together.
const WINDOW: Duration = Duration::from_secs(10);

/// What one source has taken back lately. Pure: time is passed in.
#[derive(Debug)]
pub(super) struct Guard {
    max: Share,
    /// The hosts that the snapshot at hand would take the decisions from. While there is one, a whole snapshot is
    /// awaited.
    withheld: Option<HashSet<Host>>,
    /// When the withdrawals began that count together, of how many endpoints, and how many there were.
    since: Option<Instant>,
    had: usize,
    gone: usize,
    /// How often something was held.
    pub(super) count: u64,
}

impl Guard {
    /// One that lets a source take back so much.
    pub(super) fn new(max: Share) -> Self {
        Self {
            max,
            withheld: None,
            since: None,
            had: 0,
            gone: 0,
            count: 0,
        }
    }

    /// The most that may be taken back.
    pub(super) fn max(&self) -> Share {
        self.max
    }

    /// Whether a whole snapshot is awaited.
    pub(super) fn awaits(&self) -> bool {
        self.withheld.is_some()
    }

    /// Whether a snapshot that would take away so much may be applied.
    pub(super) fn admits(&mut self, shrink: Shrink) -> bool {
        let before = self.withheld.take();
        let is_confirmed = before.is_some_and(|before| shrink.lost.is_subset(&before));
        if is_confirmed || !shrink.exceeds(self.max) {
            self.since = None;
            return true;
        }
        self.withheld = Some(shrink.lost);
        self.count += 1;
        false
    }

    /// Whether one more endpoint may be withdrawn, of so many; if not, a whole snapshot is awaited.
    pub(super) fn admits_withdrawal(&mut self, endpoints: usize, now: Instant) -> bool {
        if self
            .since
            .is_none_or(|since| now.duration_since(since) >= WINDOW)
        {
            (self.since, self.had, self.gone) = (Some(now), endpoints, 0);
        }
        self.gone += 1;
        if self.gone < FEW || !self.max.is_exceeded(self.gone, self.had) {
            return true;
        }
        self.withheld = Some(HashSet::new());
        self.since = None;
        self.count += 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::host::Address;

    use super::*;

    fn shrink(lost: std::ops::Range<u8>) -> Shrink {
        let host = |last| Host {
            zone: 0,
            address: Address::v4([10, 0, 0, last]),
        };
        Shrink {
            had: 100,
            lost: lost.map(host).collect(),
        }
    }

    #[test]
    fn much_is_held_until_it_is_said_twice() {
        let mut guard = Guard::new(Share::default());
        assert!(guard.admits(shrink(0..30)));
        assert!(!guard.admits(shrink(0..40)) && guard.awaits());
        assert!(guard.admits(shrink(0..40)) && !guard.awaits());

        assert!(!guard.admits(shrink(0..40)));
        assert!(guard.admits(shrink(0..35)), "less is no more");
        assert!(!guard.admits(shrink(0..40)));
        assert!(!guard.admits(shrink(10..50)), "others");
        assert!(guard.admits(shrink(0..0)) && !guard.awaits());
        assert!(
            !guard.admits(shrink(10..50)),
            "what was denied counts no more"
        );
        assert_eq!(guard.count, 5);
    }

    #[test]
    fn withdrawals_add_up_for_a_while() {
        let mut guard = Guard::new(Share::default());
        let start = Instant::now();
        for gone in 0..30 {
            assert!(guard.admits_withdrawal(100 - gone, start));
        }
        assert!(!guard.admits_withdrawal(70, start) && guard.awaits());
        assert!(!guard.admits(shrink(0..40)), "not what was awaited");
        assert!(guard.admits(shrink(0..40)));
        for seconds in 0..1000 {
            let now = start + Duration::from_secs(seconds);
            assert!(guard.admits_withdrawal(100, now), "few in a while");
        }
        for _ in 1..FEW {
            assert!(guard.admits_withdrawal(9, start + 2000 * WINDOW), "few");
        }
    }
}
