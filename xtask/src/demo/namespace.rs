//! A network namespace, and what runs or connects inside it.

use std::fs::{self, File};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns};

use crate::workspace::shown;

/// Where `ip netns` keeps namespaces by name.
const NAMES: &str = "/run/netns";

/// A network namespace with a name.
#[derive(Clone)]
pub(super) struct Namespace {
    name: String,
}

impl Namespace {
    /// The one with this name, whether it is there or not.
    pub(super) fn new(name: String) -> Self {
        Self { name }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> PathBuf {
        Path::new(NAMES).join(&self.name)
    }

    /// Whether it is there.
    pub(super) fn exists(&self) -> bool {
        self.path().exists()
    }

    /// A program that runs in it and sees its `/sys`.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Moves the calling thread into it, for good.
    pub(super) fn join(&self) -> Result<()> {
        let file =
            File::open(self.path()).with_context(|| format!("no namespace {}", self.name))?;
        setns(file, CloneFlags::CLONE_NEWNET)
            .with_context(|| format!("cannot enter the namespace {}", self.name))
    }

    /// Does something in it: sockets and processes that are made there belong to it.
    pub(super) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| self.join().map(|()| work()));
            inside.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Sets network parameters, by their paths below `/proc/sys/net`.
    pub(super) fn set(&self, parameters: &[(&str, &str)]) -> Result<()> {
        self.enter(|| {
            parameters.iter().try_for_each(|(path, value)| {
                let path = Path::new("/proc/sys/net").join(path);
                fs::write(&path, value).with_context(|| format!("cannot write {}", path.display()))
            })
        })?
    }

    /// The processes in it.
    pub(super) fn processes(&self) -> Result<Vec<i32>> {
        let listed = output(Command::new("ip").args(["netns", "pids", &self.name]))?;
        Ok(listed.lines().filter_map(|pid| pid.parse().ok()).collect())
    }

    /// Takes its name away; without processes it is gone.
    pub(super) fn delete(&self) -> Result<()> {
        output(Command::new("ip").args(["netns", "delete", &self.name])).map(drop)
    }
}

/// Runs a command and hands out what it prints; fails with what it says when it fails.
pub(super) fn output(command: &mut Command) -> Result<String> {
    let done = command
        .output()
        .with_context(|| format!("`{}` could not be started", shown(command)))?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(
        done.status.success(),
        "`{}` failed ({}): {}",
        shown(command),
        done.status,
        said.trim()
    );
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
