//! Waiting for a condition, with a limit.
//!
//! Limits are those of real hardware; where the environment says that this machine is slower, they are longer. That never
//! lets pass what would not pass otherwise: it is only waited longer, also for what must not come.

use std::{
    fmt::Display,
    thread,
    time::{Duration, Instant},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// How long what must happen may take on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(15);

pub use enforcer_vm::patient;

/// Looks again and again until there is something.
///
/// # Panics
///
/// When there is nothing for [`PATIENCE`].
#[track_caller]
pub fn until<T>(what: impl Display, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, look).unwrap_or_else(|| panic!("{what}: not within {:?}", patient(PATIENCE)))
}

/// Looks again and again until it is so.
///
/// # Panics
///
/// When it is not for [`PATIENCE`].
#[track_caller]
pub fn until_so(what: impl Display, mut look: impl FnMut() -> bool) {
    until(what, || look().then_some(()));
}

/// Looks again and again, for so long at most.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patient(limit);
    loop {
        let found = look();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        thread::sleep(PAUSE);
    }
}
