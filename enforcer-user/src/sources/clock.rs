//! The management server's clock, beside the time that passes here.
//!
//! Of two clocks that differ neither is known to be right, and both may be set at any moment. So what happens here is
//! told by how much time has passed since the start, and what the server says is moved by as much as its clock was ahead
//! of that when it answered last.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

/// The clock of one server.
#[derive(Debug)]
pub struct Clock {
    /// What the clock of this machine showed at the start.
    start: Timestamp,
    since: Instant,
    /// By how many milliseconds the server's clock is ahead.
    ahead: AtomicI64,
}

impl Default for Clock {
    /// Until the server is heard its clock is taken for this machine's.
    fn default() -> Self {
        Self {
            start: Timestamp::now(),
            since: Instant::now(),
            ahead: AtomicI64::new(0),
        }
    }
}

impl Clock {
    /// The time here, which nothing sets.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed());
        let now = passed
            .ok()
            .and_then(|passed| self.start.checked_add(passed).ok());
        now.unwrap_or(Timestamp::MAX)
    }

    /// The server has answered with this date (RFC 9110 section 6.6.1), which is in whole seconds.
    pub fn hear(&self, date: &str) {
        let parser = rfc2822::DateTimeParser::new();
        if let Ok(there) = parser.parse_timestamp(date) {
            let ahead = there.as_millisecond() - self.now().as_millisecond();
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }

    /// What the time was here when the server's clock showed this.
    pub fn here(&self, there: Timestamp) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        // Beyond the end of time nothing is found either way.
        there.checked_sub(ahead).unwrap_or(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_differs_does_no_harm() {
        let clock = Clock::default();
        let now = Timestamp::now();
        assert_eq!(clock.here(now), now, "nothing heard");
        let hour = SignedDuration::from_hours(1);
        for there in [now + hour, now - hour] {
            let date = there.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            clock.hear(&date);
            let off = clock.here(there).duration_since(clock.now()).abs();
            assert!(off < SignedDuration::from_secs(3), "{date}: {off}");
        }
        let before = clock.here(now);
        clock.hear("yesterday");
        assert_eq!(clock.here(now), before, "what is no date says nothing");
    }
}
