//! Token buckets: how often the datapath answers and asks.

use bytemuck::{Pod, Zeroable};

/// What a bucket is for: its row on every CPU.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Resets and ICMP errors.
    Reply = 0,
    /// Questions about unknown hosts.
    Question = 1,
    /// Stops that are logged.
    Report = 2,
    /// Connections that are opened to the portal instead of where they were meant to go.
    Portal = 3,
}

impl Purpose {
    /// How many there are.
    pub const COUNT: u32 = 4;
}

/// A rate with a burst, in credits that a jiffy earns and one event costs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Rate {
    /// Credits that each jiffy earns.
    gain: u32,
    /// Credits that one event costs.
    cost: u32,
    /// Credits that may be saved.
    most: u64,
}

impl Rate {
    /// Never.
    pub const NEVER: Self = Self {
        gain: 0,
        cost: 1,
        most: 0,
    };

    /// So many events a second, and as many at once after a second of rest.
    pub fn per_second(events: u32, jiffies_per_second: u32) -> Self {
        Self {
            gain: events,
            cost: jiffies_per_second,
            most: u64::from(events) * u64::from(jiffies_per_second),
        }
    }
}

/// What has been saved. All zeros, which is how a row begins, is full as soon as a second has passed since boot.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Bucket {
    /// Credits.
    credit: u64,
    /// When they were last counted, in jiffies.
    counted: u64,
}

impl Bucket {
    /// Takes the credits for one event at the time `now`; false when there are not enough.
    #[inline(always)]
    pub fn take(&mut self, now: u64, rate: &Rate) -> bool {
        let credit = self.credit_at(now, rate);
        self.counted = now;
        let enough = credit >= u64::from(rate.cost);
        self.credit = if enough {
            credit - u64::from(rate.cost)
        } else {
            credit
        };
        enough
    }

    /// Whether [`take`](Self::take) would succeed.
    pub fn has(&self, now: u64, rate: &Rate) -> bool {
        self.credit_at(now, rate) >= u64::from(rate.cost)
    }

    #[inline(always)]
    fn credit_at(&self, now: u64, rate: &Rate) -> u64 {
        // More than this fills any bucket, and the product still fits.
        const LONG: u64 = 1 << 24;
        let elapsed = now.saturating_sub(self.counted);
        let elapsed = if elapsed > LONG { LONG } else { elapsed };
        let credit = self.credit.wrapping_add(elapsed * u64::from(rate.gain));
        if credit > rate.most {
            rate.most
        } else {
            credit
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const HZ: u32 = 250;

    #[test]
    fn a_burst_and_then_the_rate() {
        let rate = Rate::per_second(10, HZ);
        let mut bucket = Bucket::default();
        let now = 1_000_000;
        let burst = (0..100).filter(|_| bucket.take(now, &rate)).count();
        assert_eq!(burst, 10);
        let later = (0..u64::from(HZ))
            .filter(|tick| bucket.take(now + tick + 1, &rate))
            .count();
        assert_eq!(later, 10);
    }

    #[test]
    fn never_is_never() {
        let mut bucket = Bucket::default();
        assert!(!bucket.take(u64::MAX / 2, &Rate::NEVER));
    }

    proptest! {
        #[test]
        fn no_interval_sees_more_than_its_rate_and_a_burst(
            steps in vec(0..50_u64, 1..300),
            events in 1..500_u32,
        ) {
            let rate = Rate::per_second(events, HZ);
            let (mut bucket, mut now) = (Bucket::default(), 10_000_000);
            let start = now;
            let mut taken = 0_u64;
            for step in steps {
                now += step;
                prop_assert_eq!(bucket.has(now, &rate), bucket.take(now, &rate));
                while bucket.take(now, &rate) {
                    taken += 1;
                }
            }
            let earned = (now - start) * u64::from(events) / u64::from(HZ);
            prop_assert!(taken <= earned + u64::from(events));
        }
    }
}
