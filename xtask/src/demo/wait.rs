//! Waiting for a condition, with a limit. Limits are those of real hardware, and longer where the environment says that
//! this machine is slower.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
pub(super) use enforcer_vm::patient;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks again and again until there is something, for so long at most.
pub(super) fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let limit = patient(limit);
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("{what}: not within {} ms", limit.as_millis());
        }
        std::thread::sleep(PAUSE);
    }
}
