//! Being asked to end.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use nix::{
    errno::Errno,
    sys::signal::{SigSet, Signal},
};

/// Whether this process has been asked to end. Nothing needs to be undone, but what was written so far
/// should be whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

/// What a shell makes of a process that SIGINT has ended.
const ENDED: i32 = 130;

impl Interrupt {
    /// Waits for signals in a thread of its own. The second one ends the process at once: it may be waiting
    /// for a pipe that nobody writes to.
    pub fn watch() -> Result<Self, Errno> {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
            .into_iter()
            .collect();
        signals.thread_block()?;
        let interrupt = Self::default();
        let asked = interrupt.clone();
        thread::spawn(move || {
            let _ = signals.wait();
            asked.0.store(true, Ordering::Relaxed);
            let _ = signals.wait();
            process::exit(ENDED);
        });
        Ok(interrupt)
    }

    /// Whether it has.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
