//! A running gateway, its processes, its log and its figures.

use std::{
    fs::{self, File},
    net::IpAddr,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    host::{self, Answer},
    lan::at,
    site::{Site, enforcer},
    wait,
};

/// Where it tells how it is.
const METRICS: (&str, u16) = ("127.0.0.1", 9469);
/// How long it may take to answer.
const ANSWERING: Duration = Duration::from_secs(5);

/// A gateway; killed when dropped, and its children with it. Its log is shown when the test fails.
pub struct Gateway<'a> {
    site: &'a Site,
    child: Child,
    log: PathBuf,
}

impl<'a> Gateway<'a> {
    /// Starts one and waits until it is ready.
    pub(crate) fn start(site: &'a Site) -> anyhow::Result<Self> {
        let mut gateway = Self::launch(site)?;
        wait::until("the gateway is ready", || {
            let ended = gateway.child.try_wait().ok().flatten();
            assert!(ended.is_none(), "the gateway has ended: {ended:?}");
            gateway.is_ready().then_some(())
        });
        Ok(gateway)
    }

    /// Starts one in which SIGUSR1 begins a fault, and waits until it is ready.
    pub fn start_simulating(site: &'a Site, condition: &str) -> anyhow::Result<Self> {
        let gateway = Self::launch_with(site, &["--simulate", condition])?;
        wait::until_so("the gateway is ready", || gateway.is_ready());
        Ok(gateway)
    }

    /// Begins the fault, or ends it.
    pub fn toggle_fault(&self) -> anyhow::Result<()> {
        Ok(kill(self.pid(), Signal::SIGUSR1)?)
    }

    /// Starts one.
    pub fn launch(site: &'a Site) -> anyhow::Result<Self> {
        Self::launch_with(site, &[])
    }

    /// Starts one that logs so much, and waits until it is ready.
    pub fn start_logging(site: &'a Site, level: &str) -> anyhow::Result<Self> {
        let mut command = site.run_command();
        command.env("ENFORCER_LOG", level);
        let gateway = Self::launch_by(site, command, &[])?;
        wait::until_so("the gateway is ready", || gateway.is_ready());
        Ok(gateway)
    }

    /// Starts one that says all it can to whoever is at the other end, and waits until it is ready.
    pub fn start_telling(site: &'a Site, standard_error: OwnedFd) -> anyhow::Result<Self> {
        let mut command = site.run_command();
        command.env("ENFORCER_LOG", "trace").args(["--log", "json"]);
        let command = command.stdin(Stdio::null()).stderr(standard_error);
        let gateway = Self {
            site,
            child: command.spawn()?,
            log: site.path("gateway.log"),
        };
        wait::until_so("the gateway is ready", || gateway.is_ready());
        Ok(gateway)
    }

    /// Starts one by way of a command that becomes it, with more in its environment, and waits until it is ready.
    pub fn start_behind(
        site: &'a Site,
        command: &[String],
        environment: &[(&str, &Path)],
    ) -> anyhow::Result<Self> {
        let (program, arguments) = command.split_first().context("no command")?;
        let run = site.run_command();
        let mut command = site.lan.gateway.command(program);
        command.args(arguments).arg(enforcer());
        // What is behind the program in the command that is usual.
        let usual = run
            .get_args()
            .skip_while(|argument| *argument != enforcer());
        command.args(usual.skip(1));
        command.envs(environment.iter().copied());
        let gateway = Self::launch_by(site, command, &[])?;
        wait::until_so("the gateway is ready", || gateway.is_ready());
        Ok(gateway)
    }

    fn launch_with(site: &'a Site, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::launch_by(site, site.run_command(), arguments)
    }

    fn launch_by(site: &'a Site, mut command: Command, arguments: &[&str]) -> anyhow::Result<Self> {
        let log = site.path("gateway.log");
        let file = File::options().create(true).append(true).open(&log)?;
        command
            .args(["--log", "json"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child = command
            .spawn()
            .context("the gateway could not be started")?;
        Ok(Self { site, child, log })
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Ends it without a word.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        kill(self.pid(), Signal::SIGTERM)?;
        Ok(wait::until("the gateway ends when asked to", || {
            self.child.try_wait().ok().flatten()
        }))
    }

    /// The child that has this word in its command line, if it runs.
    pub fn child(&self, word: &str) -> Option<Pid> {
        let is_it = |pid: &Pid| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            *pid != self.pid() && line.split('\0').any(|argument| argument == word)
        };
        self.site.lan.gateway.processes().into_iter().find(is_it)
    }

    /// What it answers over HTTP to the machine that it runs on.
    pub fn get(&self, path: &str) -> Answer {
        let (address, port) = METRICS;
        let inside = &self.site.lan.gateway;
        inside.enter(|| host::get(at(address, port), path, ANSWERING))
    }

    /// Whether it says that everything is attached and in step.
    pub fn is_ready(&self) -> bool {
        self.get("/readyz").is_page()
    }

    /// The sum of what it has counted under this name, of the lines with all of these labels.
    pub fn counted(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let answer = self.get("/metrics");
        let labels: Vec<_> = labels.iter().map(|(n, v)| format!("{n}=\"{v}\"")).collect();
        let lines = answer.text().lines().filter_map(|line| {
            let (named, value) = line.rsplit_once(' ')?;
            let is_it = named == name || named.starts_with(&format!("{name}{{"));
            let wanted = is_it && labels.iter().all(|label| named.contains(label));
            wanted.then(|| value.parse::<u64>().ok()).flatten()
        });
        lines.sum()
    }

    /// The packets counted with this hook, outcome and reason.
    pub fn packets(&self, hook: &str, verdict: &str, reason: &str) -> u64 {
        let labels = [("hook", hook), ("verdict", verdict), ("reason", reason)];
        self.counted("enforcer_packets_total", &labels)
    }

    /// The row of a host, as the operator is shown it.
    pub fn host(&self, address: IpAddr) -> Option<Value> {
        let address = address.to_string();
        let list = self.site.control(&["hosts", "--find", &address]).ok()?;
        let address = Value::String(address);
        let hosts = list["hosts"].as_array()?;
        hosts
            .iter()
            .find(|host| host["address"] == address)
            .cloned()
    }

    /// The role of a host; empty when nothing is decided of it.
    pub fn role(&self, address: IpAddr) -> String {
        let host = self.host(address).unwrap_or_default();
        host["role"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether a line of its log has this in it.
    pub fn has_logged(&self, text: &str) -> bool {
        self.log().contains(text)
    }

    /// Its whole log, also of those that ran here before it.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log());
        }
    }
}
