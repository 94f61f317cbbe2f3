//! How long to wait before the next attempt.

use std::time::Duration;

/// The first wait: short, since most losses are restarts.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait: hosts that a lease has stopped wait as long for the server that is back.
const LONGEST: Duration = Duration::from_secs(2);

/// Waits that double from [`FIRST`] to [`LONGEST`].
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// How long to wait now: half of it certain, half by chance, so that gateways that lost the same
    /// server do not come back all at once.
    pub(super) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        wait.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// Begins anew: the last attempt worked.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
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
