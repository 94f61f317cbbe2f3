//! How long to wait before the next attempt.

use std::time::Duration;

/// The first wait: short, since most losses are restarts.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait: hosts that a lease has stopped wait as long for the server that is back.
const LONGEST: Duration = Duration::from_secs(2);

/// Waits that double from the first to the longest: [`FIRST`] and [`LONGEST`], unless others are named.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::between(FIRST, LONGEST)
    }
}

impl Backoff {
    /// Waits between these two.
    pub(crate) const fn between(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// How long to wait now: half of it certain, half by chance, so that gateways that lost the same
    /// server do not come back all at once.
    pub(crate) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// Begins anew: the last attempt worked.
    pub(crate) const fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_anew() {
        let mut backoff = Backoff::default();
        let mut full = FIRST;
        for _ in 0..12 {
            let wait = backoff.wait();
            assert!(full / 2 <= wait && wait <= full, "{wait:?} of {full:?}");
            full = (full * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }
}
