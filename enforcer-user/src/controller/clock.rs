//! The time by which decisions and exceptions end: the wall clock, without its jumps.
//!
//! What ends at a time is told by the wall clock of whoever decided. From then on only the time that passes counts:
//! when somebody sets the clock, nothing ends sooner or later by that. The kernel counts jiffies and does so by itself.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::simulation::Simulation;

/// A greater difference between two looks is a jump; smaller ones are how clocks are kept right.
const JUMP: SignedDuration = SignedDuration::from_secs(1);

/// The wall clock, without its jumps.
#[derive(Debug)]
pub(super) struct SteadyClock {
    simulation: Simulation,
    /// What this clock is ahead of the wall clock.
    ahead: SignedDuration,
    /// What it said when it was last looked at.
    said: Timestamp,
    /// And when that was.
    looked: Instant,
}

impl SteadyClock {
    /// One that agrees with the wall clock.
    pub(super) fn new(simulation: Simulation) -> Self {
        Self {
            said: simulation.wall(),
            simulation,
            ahead: SignedDuration::ZERO,
            looked: Instant::now(),
        }
    }

    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        add(self.said, passed(self.looked.elapsed()))
    }

    /// A time of the wall clock, as this clock will say it.
    pub(super) fn of_wall(&self, wall: Timestamp) -> Timestamp {
        add(wall, self.ahead)
    }

    /// A time of this clock, as the wall clock will say it.
    pub(super) fn to_wall(&self, time: Timestamp) -> Timestamp {
        add(time, -self.ahead)
    }

    /// Looks at the wall clock, often; says by how much it was set, if it was.
    pub(super) fn look(&mut self) -> Option<SignedDuration> {
        let looked = Instant::now();
        let passed = passed(looked.duration_since(self.looked));
        self.look_at(self.simulation.wall(), passed, looked)
    }

    fn look_at(
        &mut self,
        wall: Timestamp,
        passed: SignedDuration,
        looked: Instant,
    ) -> Option<SignedDuration> {
        let expected = add(self.said, passed);
        let step = self.of_wall(wall).duration_since(expected);
        let is_jump = step.abs() >= JUMP;
        if is_jump {
            self.ahead = self.ahead.saturating_sub(step);
        }
        self.said = self.of_wall(wall);
        self.looked = looked;
        is_jump.then_some(step)
    }
}

fn passed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn add(time: Timestamp, by: SignedDuration) -> Timestamp {
    // Only beyond the years that there are: the nearest of them.
    time.saturating_add(by).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_move_nothing_and_drift_is_followed() {
        let second = SignedDuration::from_secs;
        let mut clock = SteadyClock::new(Simulation::default());
        let (start, instant) = (clock.said, clock.looked);
        let at = |seconds| add(start, second(seconds));
        assert_eq!(clock.look_at(at(10), second(10), instant), None);
        assert_eq!(clock.said, at(10));
        // Half a second is how clocks are kept right.
        let slewed = add(at(20), SignedDuration::from_millis(500));
        assert_eq!(clock.look_at(slewed, second(10), instant), None);
        assert_eq!(clock.said, slewed);

        let day = second(86_400);
        assert_eq!(
            clock.look_at(add(slewed, day), second(0), instant),
            Some(day)
        );
        assert_eq!(clock.said, slewed, "nothing has passed");
        assert_eq!(clock.of_wall(add(slewed, day)), slewed);
        assert_eq!(clock.to_wall(slewed), add(slewed, day));
        let back = clock.look_at(slewed, second(5), instant);
        assert_eq!(back, Some(-day - second(5)));
        assert_eq!(clock.said, add(slewed, second(5)));
    }
}
