//! The kernel's jiffies: the clock that deadlines in the maps are compared with.

use std::time::Duration;

use aya::{
    Ebpf,
    programs::{ProgramError, TestRun, TestRunOptions, Xdp},
};
use nix::time::{ClockId, clock_gettime};

use super::DatapathError;

const PROGRAM: &str = "enforcer_clock";

/// The tick rates that Linux can be built with (kernel/Kconfig.hz).
const RATES: [u64; 4] = [100, 250, 300, 1000];

/// Reads jiffies and converts durations into them.
pub struct Clock {
    object: Ebpf,
    rate: u64,
}

impl Clock {
    /// Loads the program that reads the clock, and finds out how fast it ticks.
    pub(super) fn new(mut object: Ebpf) -> Result<Self, DatapathError> {
        let program: &mut Xdp = object
            .program_mut(PROGRAM)
            .ok_or(DatapathError::Missing(PROGRAM))?
            .try_into()
            .map_err(failed)?;
        program.load().map_err(failed)?;
        let jiffies = read(program)?;
        let uptime = monotonic();
        let rate = rate(jiffies, uptime).ok_or(DatapathError::TickRate { jiffies, uptime })?;
        Ok(Self { object, rate })
    }

    /// The current time in jiffies.
    pub fn now(&self) -> Result<u64, DatapathError> {
        read(self.program()?)
    }

    /// The mean time of `repeat` readings inside the kernel. No program does less, so this is the floor
    /// that the times of the others stand on.
    pub fn cost(&self, repeat: u32) -> Result<Duration, DatapathError> {
        let options = TestRunOptions {
            data_in: Some(&[0; 64]),
            repeat,
            ..TestRunOptions::default()
        };
        let result = self.program()?.test_run(options).map_err(failed)?;
        Ok(result.duration)
    }

    fn program(&self) -> Result<&Xdp, DatapathError> {
        let program = self
            .object
            .program(PROGRAM)
            .ok_or(DatapathError::Missing(PROGRAM))?;
        program.try_into().map_err(failed)
    }

    /// Ticks a second.
    pub fn rate(&self) -> u64 {
        self.rate
    }

    /// A duration in jiffies, rounded up: nothing ends early.
    pub fn ticks(&self, duration: Duration) -> u64 {
        let ticks = (duration.as_nanos() * u128::from(self.rate)).div_ceil(1_000_000_000);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// Jiffies as a duration.
    pub fn duration(&self, ticks: u64) -> Duration {
        Duration::from_secs(ticks / self.rate)
            + Duration::from_secs(ticks % self.rate) / u32::try_from(self.rate).unwrap_or(1)
    }
}

fn failed(error: ProgramError) -> DatapathError {
    DatapathError::Program {
        name: PROGRAM,
        error,
    }
}

fn read(program: &Xdp) -> Result<u64, DatapathError> {
    let input = [0; 64];
    let mut output = [0; 64];
    let options = TestRunOptions {
        data_in: Some(&input),
        data_out: Some(&mut output),
        ..TestRunOptions::default()
    };
    program.test_run(options).map_err(failed)?;
    Ok(output
        .first_chunk()
        .map_or(0, |bytes| u64::from_ne_bytes(*bytes)))
}

fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// Jiffies start five minutes before the 32-bit counter wraps (`INITIAL_JIFFIES` in
/// include/linux/jiffies.h) and advance with the monotonic clock, so one reading tells the rate.
fn rate(jiffies: u64, uptime: Duration) -> Option<u64> {
    RATES.into_iter().find(|rate| {
        let start = (1_u64 << 32) - 300 * rate;
        let expected = start + uptime.as_secs() * rate;
        // Within ten seconds: some time passes at boot before ticks are counted.
        jiffies.abs_diff(expected) < 10 * rate
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rate_is_told_from_the_others() {
        for wanted in RATES {
            for seconds in [30, 3600, 86_400 * 400] {
                let jiffies = (1_u64 << 32) - 300 * wanted + seconds * wanted;
                assert_eq!(rate(jiffies, Duration::from_secs(seconds)), Some(wanted));
            }
        }
    }
}
