//! The gateway: its configuration, its control socket and its metrics.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::addresses::{HTTP, REMEDIATION};
use super::answer::{self, Answer};
use super::management::Contact;
use super::metrics::Metrics;
use super::namespace::{Namespace, output};
use super::program::Program;
use super::site::Site;
use super::traffic;

/// How long the decisions of a silent management server hold: short enough to be waited for, and longer than a gateway
/// takes to start.
pub(super) fn lease() -> Duration {
    Duration::from_secs(5) * enforcer_vm::slowness().min(6)
}

/// The port of the portal on the gateway.
pub(super) const PORTAL: u16 = 8480;
/// Where the gateway tells how it is.
const METRICS: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 9469);
/// How long it may take to attach and to hear the management server.
const STARTING: Duration = Duration::from_secs(15);
/// How long it may take to answer.
const ANSWERING: Duration = Duration::from_secs(2);

/// A running gateway.
pub(super) struct Gateway {
    program: Program,
    namespace: Namespace,
    enforcer: PathBuf,
    dir: PathBuf,
}

impl Gateway {
    /// Configures one that knows only where its management server is, and starts it.
    pub(super) fn start(site: &Site, server: &Contact) -> Result<Self> {
        let (dir, namespace) = (site.dir(), site.namespace("gateway"));
        fs::write(
            dir.join("gateway.toml"),
            configuration(&dir, &site.bpffs(), server),
        )?;
        let program = run(&namespace, &server.enforcer, &dir)?;
        Ok(Self {
            program,
            namespace,
            enforcer: server.enforcer.clone(),
            dir,
        })
    }

    /// Ends it without a word.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.program.kill().map(drop)
    }

    /// Starts it again.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.program = run(&self.namespace, &self.enforcer, &self.dir)?;
        Ok(())
    }

    /// What an operator's command prints.
    pub(super) fn control(&self, words: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.enforcer);
        let socket = self.dir.join("run/control.sock");
        let command = command.args(words).args(["--output", "json", "--socket"]);
        let printed = output(command.arg(socket))?;
        serde_json::from_str(&printed).with_context(|| format!("{words:?} printed no JSON"))
    }

    /// What it has counted.
    pub(super) fn metrics(&self) -> Result<Metrics> {
        let metrics = SocketAddr::from(METRICS);
        let answer = self
            .namespace
            .enter(|| answer::get(metrics, "/metrics", ANSWERING))?;
        match answer.page() {
            Some(text) => Ok(Metrics::parse(text)),
            None => bail!("/metrics answers {answer}"),
        }
    }

    /// How many packets came from the clients, as the kernel counts.
    pub(super) fn received(&self) -> Result<u64> {
        traffic::received(&self.namespace, "lan0")
    }

    /// The lines of its log.
    pub(super) fn log(&self) -> Result<Vec<Value>> {
        let log = self.program.log()?;
        // What its children say when they end badly is no JSON.
        Ok(log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect())
    }

    /// The end of its log.
    pub(super) fn tail(&self) -> String {
        self.program.tail()
    }
}

/// Starts the program and waits until it says that everything is attached and in step.
fn run(namespace: &Namespace, enforcer: &Path, dir: &Path) -> Result<Program> {
    let mut command = namespace.command(enforcer);
    command
        .args(["run", "--log", "json", "--config"])
        .arg(dir.join("gateway.toml"));
    let mut program = Program::start("gateway", command, dir.join("gateway.log"))?;
    let health = SocketAddr::from(METRICS);
    program.wait_for("the gateway is ready", STARTING, || {
        let answer = namespace.enter(|| answer::get(health, "/readyz", ANSWERING))?;
        Ok(answer.is_page().then_some(()))
    })?;
    Ok(program)
}

fn configuration(dir: &Path, bpffs: &Path, server: &Contact) -> String {
    let (dir, bpffs) = (dir.display(), bpffs.display());
    let (url, pin, token) = (&server.url, &server.pin, server.gateway_token.display());
    let lease = lease().as_secs();
    let [v4, v6] = REMEDIATION.both();
    format!(
        r#"mode = "enforce"
state_dir = "{dir}/state"
run_dir = "{dir}/run"
pin_dir = "{bpffs}/enforcer"
host_capacity = 4096

[[interface]]
name = "lan0"
zone = "lan"
hook = "xdp"

[[role.quarantine.rule]]
to = ["{v4}/32", "{v6}/128"]
protocol = "tcp"
ports = [{HTTP}]

[management]
url = "{url}"
pin = "{pin}"
token_file = "{token}"
lease = "{lease}s"

[portal]
port = {PORTAL}
organisation = "The demo"
contact = "help desk, tel. 123"
"#
    )
}

/// Whether an answer leads to the gateway's portal.
pub(super) fn is_portal(answer: &Answer) -> bool {
    let port = format!(":{PORTAL}/");
    answer.leads_to().is_some_and(|url| url.ends_with(&port))
}
