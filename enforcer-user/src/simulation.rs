//! Faults that tests switch on, since they cannot be had otherwise: `enforcer run --simulate CONDITION`.

use std::sync::{
    Arc,
    atomic::{AtomicI32, AtomicI64, Ordering},
};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};

/// How far the simulated clock jumps: over everything that ends by itself.
const JUMP: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Condition {
    /// The wall clock is set forward.
    ClockForward,
    /// The wall clock is set back.
    ClockBack,
    /// The kernel has no memory for rows of its tables.
    NoMemory,
    /// The kernel's tables have no room.
    TableFull,
}

/// What is simulated now; nothing, usually. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    refusal: Arc<AtomicI32>,
    shift: Arc<AtomicI64>,
}

impl Simulation {
    /// Begins or ends a fault.
    pub fn toggle(&self, condition: Condition) {
        tracing::warn!(?condition, "a simulated fault begins or ends");
        let flip = |errno: i32| self.refusal.fetch_xor(errno, Ordering::Relaxed);
        let shift = |by: SignedDuration| {
            let is_on = self.shift.load(Ordering::Relaxed) != 0;
            let seconds = if is_on { 0 } else { by.as_secs() };
            self.shift.store(seconds, Ordering::Relaxed);
        };
        match condition {
            Condition::ClockForward => shift(JUMP),
            Condition::ClockBack => shift(-JUMP),
            Condition::NoMemory => _ = flip(libc::ENOMEM),
            Condition::TableFull => _ = flip(libc::E2BIG),
        }
    }

    /// The error by which the kernel refuses rows, if it does.
    pub fn refusal(&self) -> Option<std::io::Error> {
        match self.refusal.load(Ordering::Relaxed) {
            0 => None,
            errno => Some(std::io::Error::from_raw_os_error(errno)),
        }
    }

    /// What the wall clock says.
    pub fn wall(&self) -> Timestamp {
        let shift = SignedDuration::from_secs(self.shift.load(Ordering::Relaxed));
        Timestamp::now()
            .saturating_add(shift)
            .unwrap_or(Timestamp::MAX)
    }
}
