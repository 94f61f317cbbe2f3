//! What the kernel says that a process may do.

use std::{collections::HashMap, fs, path::PathBuf};

use anyhow::Context;
use nix::unistd::Pid;

/// `/proc/PID/status`, or that of a thread.
pub struct Status(HashMap<String, String>);

impl Status {
    /// That of each thread of a process.
    pub fn of_threads(pid: Pid) -> anyhow::Result<Vec<Self>> {
        let threads = fs::read_dir(format!("/proc/{pid}/task"))?;
        let paths = threads.map(|thread| Ok(thread?.path()));
        let paths = paths.collect::<anyhow::Result<Vec<PathBuf>>>()?;
        // A thread may have ended since.
        let texts = paths
            .iter()
            .filter_map(|path| fs::read_to_string(path.join("status")).ok());
        Ok(texts.map(|text| Self::parse(&text)).collect())
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Self(
            lines
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
        )
    }

    /// What stands behind this name.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The capabilities behind this name.
    pub fn capabilities(&self, name: &str) -> anyhow::Result<u64> {
        let text = self.get(name);
        u64::from_str_radix(text, 16).with_context(|| format!("{name} is `{text}`"))
    }

    /// Its users: real, effective, saved, for files.
    pub fn users(&self) -> Vec<&str> {
        self.get("Uid").split_whitespace().collect()
    }
}
