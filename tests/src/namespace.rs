//! A network namespace of the test's own.

use std::{
    ffi::OsStr,
    fs::{self, File},
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context, ensure};
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::wait;

/// Where `ip netns` keeps namespaces by name.
const NAMES: &str = "/run/netns";

/// A network namespace; removed when dropped, with every process in it.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A new one with this name.
    pub fn new(name: String) -> anyhow::Result<Self> {
        output(Command::new("ip").args(["netns", "add", &name]))?;
        Ok(Self { name })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A program that runs in it and sees its `/sys`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Moves the calling thread into it, for good.
    pub fn join(&self) -> anyhow::Result<()> {
        join(&self.path())
    }

    /// Where the kernel shows it as a file.
    pub fn path(&self) -> PathBuf {
        Path::new(NAMES).join(&self.name)
    }

    /// Does something in it: sockets and processes that are made there belong to it.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.join().expect("a namespace of this test");
                work()
            });
            inside.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Sets network parameters, by their paths below `/proc/sys/net`.
    pub fn set(&self, parameters: &[(&str, &str)]) -> anyhow::Result<()> {
        self.enter(|| {
            parameters.iter().try_for_each(|(path, value)| {
                let path = Path::new("/proc/sys/net").join(path);
                fs::write(&path, value).with_context(|| format!("cannot write {}", path.display()))
            })
        })
    }

    /// The processes in it.
    pub fn processes(&self) -> Vec<Pid> {
        let listed = output(Command::new("ip").args(["netns", "pids", &self.name]));
        let listed = listed.unwrap_or_default();
        let pids = listed.lines().filter_map(|pid| pid.parse().ok());
        pids.map(Pid::from_raw).collect()
    }
}

/// Moves the calling thread into the namespace at this path, for good.
pub(crate) fn join(path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("no namespace {}", path.display()))?;
    setns(file, CloneFlags::CLONE_NEWNET)
        .with_context(|| format!("cannot enter the namespace {}", path.display()))
}

impl Drop for Namespace {
    fn drop(&mut self) {
        wait::within(wait::PATIENCE, || {
            let left = self.processes();
            for pid in &left {
                // It may have gone since.
                let _ = kill(*pid, Signal::SIGKILL);
            }
            left.is_empty().then_some(())
        });
        let _ = output(Command::new("ip").args(["netns", "delete", &self.name]));
    }
}

/// Runs a command and hands out what it prints; fails with what it says when it fails.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command
        .output()
        .with_context(|| format!("{command:?} could not be started"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(
        done.status.success(),
        "{command:?} failed ({}): {said}",
        done.status
    );
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
