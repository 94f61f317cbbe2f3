//! A program that runs until it is ended, with its log in a file.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::wait;

/// How long a program may take to end when it is asked to.
const ENDING: Duration = Duration::from_secs(5);
/// How much of a log is shown when its program fails.
const TAIL: usize = 15;

/// A running program.
pub(super) struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it; what it says is added to the log.
    pub(super) fn start(name: &'static str, mut command: Command, log: PathBuf) -> Result<Self> {
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("cannot open {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child = command
            .spawn()
            .with_context(|| format!("the {name} could not be started"))?;
        Ok(Self { name, child, log })
    }

    /// Waits until it is ready; fails at once when it has ended instead.
    pub(super) fn wait_for<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let Self { name, child, .. } = self;
        let found = wait::until(what, limit, || {
            if let Some(status) = child.try_wait()? {
                bail!("the {name} has ended ({status})");
            }
            look()
        });
        found.with_context(|| format!("the end of its log:\n{}", self.tail()))
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn stop(&mut self) -> Result<ExitStatus> {
        kill(self.pid(), Signal::SIGTERM)?;
        let what = format!("the {} ends when asked to", self.name);
        wait::until(&what, ENDING, || Ok(self.child.try_wait()?))
    }

    /// Ends it without a word, as `kill -9` does.
    pub(super) fn kill(&mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Everything that it has said.
    pub(super) fn log(&self) -> Result<String> {
        fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }

    /// The last of what it has said.
    pub(super) fn tail(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}
