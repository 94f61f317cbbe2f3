//! `enforcer trace` as a user calls it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::site::enforcer;

/// Quarantined hosts reach TCP 443 of the remediation servers of the fixtures; two networks are not checked.
pub const CONFIG: &str = r#"
mode = "enforce"

[[interface]]
name = "not-here"
vlan = [{ id = 7 }, { id = 7, inner = 7 }]

[[scope]]
prefix = "198.51.100.0/24"
action = "outside"
[[scope]]
prefix = "2001:db8:5::/48"
action = "outside"
[[scope]]
prefix = "203.0.113.0/24"
action = "bypassed"
[[scope]]
prefix = "2001:db8:6::/48"
action = "bypassed"

[role.quarantine]
[[role.quarantine.rule]]
to = ["192.0.2.200/32", "2001:db8::200/128"]
protocol = "tcp"
ports = [443]
[[role.quarantine.rule]]
to = ["192.0.2.201/32", "2001:db8::201/128"]
"#;

/// A directory with a configuration, and what else a trace needs.
pub struct Desk {
    directory: TempDir,
}

impl Desk {
    /// One with the usual configuration.
    pub fn new() -> anyhow::Result<Self> {
        Self::with_config(CONFIG)
    }

    /// One with this configuration.
    pub fn with_config(config: &str) -> anyhow::Result<Self> {
        let desk = Self {
            directory: TempDir::new()?,
        };
        desk.put("gateway.toml", config)?;
        Ok(desk)
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        Ok(fs::write(self.path(name), bytes)?)
    }

    /// The command, with the configuration and these arguments. Files are named as they are here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(enforcer());
        command
            .current_dir(self.directory.path())
            .args(["trace", "--config", "gateway.toml"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Traced> {
        Ok(Traced(self.command(arguments).output()?))
    }

    /// Traces a capture with these hosts, and hands out the lines.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn trace(
        &self,
        hosts: &str,
        capture: &[u8],
        arguments: &[&str],
    ) -> anyhow::Result<Vec<Value>> {
        self.put("hosts.csv", hosts)?;
        self.put("capture", capture)?;
        let usual = ["--hosts", "hosts.csv", "--pcap", "capture", "--json"];
        let traced = self.run(&[&usual[..], arguments].concat())?;
        assert_eq!(traced.code(), Some(0), "{}", traced.errors());
        Ok(traced.lines())
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// What a trace said.
pub struct Traced(pub Output);

impl Traced {
    /// Its exit status.
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    /// Each line of its output as JSON.
    ///
    /// # Panics
    ///
    /// When a line is none.
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).expect("a JSON object a line");
        self.text().lines().map(parse).collect()
    }

    /// Its output.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// What it said besides.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}
