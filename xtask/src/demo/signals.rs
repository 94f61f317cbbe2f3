//! Waiting for the story to end, or for somebody to stop it.

use std::process::Child;

use anyhow::Result;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// The signals that stop the demo, and the one that says that a child has ended.
const SIGNALS: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGCHLD,
];

/// Signals that are held until they are waited for.
pub(super) struct Signals(SigSet);

impl Signals {
    /// Holds the signals from now on.
    pub(super) fn hold() -> Result<Self> {
        let set: SigSet = SIGNALS.into_iter().collect();
        set.thread_block()?;
        Ok(Self(set))
    }

    /// Waits for the child's end, or for the signal that is to end it. The child is still to be reaped.
    pub(super) fn wait(&self, child: &Child) -> Result<Option<Signal>> {
        loop {
            // Also before the first signal: the child may have ended already.
            if has_ended(child)? {
                return Ok(None);
            }
            match self.0.wait()? {
                Signal::SIGCHLD => {}
                signal => return Ok(Some(signal)),
            }
        }
    }
}

fn has_ended(child: &Child) -> Result<bool> {
    let id = Id::Pid(Pid::from_raw(child.id().cast_signed()));
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    Ok(waitid(id, look)? != WaitStatus::StillAlive)
}

/// Undoes in a child what it inherited: held signals would keep its own children from ending.
pub(super) fn release() -> Result<()> {
    SigSet::all().thread_unblock()?;
    Ok(())
}
