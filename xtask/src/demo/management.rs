//! The management server, in the server network.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::addresses::MANAGEMENT;
use super::namespace::{Namespace, output};
use super::program::Program;
use super::site::Site;
use super::wait::patient;

const PORT: u16 = 8443;
/// How often it renews the gateway's lease.
const HEARTBEAT: &str = "500ms";
/// How long it may take to listen.
const STARTING: Duration = Duration::from_secs(10);
/// How long a connection may take to be accepted.
const ACCEPTING: Duration = Duration::from_millis(200);

/// A running management server.
pub(super) struct Management {
    program: Program,
    namespace: Namespace,
    dir: PathBuf,
    contact: Contact,
}

/// By what agents and gateways reach the server.
pub(super) struct Contact {
    pub(super) enforcer: PathBuf,
    pub(super) url: String,
    pub(super) pin: String,
    pub(super) agent_token: PathBuf,
    pub(super) gateway_token: PathBuf,
}

impl Management {
    /// Starts one that knows nobody yet, and makes its tokens.
    pub(super) fn start(site: &Site, enforcer: &Path) -> Result<Self> {
        let (dir, namespace) = (site.dir(), site.namespace("servers"));
        let state = dir.join("management");
        let token = |kind: &str, zone: &[&str]| -> Result<PathBuf> {
            let mut make = Command::new(enforcer);
            make.args(["server", "token", "create", "--kind", kind, "--name", kind]);
            let secret = output(make.args(zone).arg("--state-dir").arg(&state))?;
            let path = dir.join(format!("{kind}.token"));
            write_secret(&path, &secret)?;
            Ok(path)
        };
        let (agent_token, gateway_token) =
            (token("agent", &["--zone", "lan"])?, token("gateway", &[])?);
        let program = run(&namespace, enforcer, &dir)?;
        let mut pin = Command::new(enforcer);
        let pin = output(pin.args(["server", "pin", "--state-dir"]).arg(&state))?;
        let contact = Contact {
            enforcer: enforcer.to_owned(),
            url: format!("https://{}", MANAGEMENT.v4(PORT)),
            pin: pin.trim().to_owned(),
            agent_token,
            gateway_token,
        };
        Ok(Self {
            program,
            namespace,
            dir,
            contact,
        })
    }

    /// By what it is reached.
    pub(super) fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Stops it.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.program.stop().map(drop)
    }

    /// Starts it again, with all that it knew.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.program = run(&self.namespace, &self.contact.enforcer, &self.dir)?;
        Ok(())
    }
}

/// Starts the program and waits until it listens.
fn run(namespace: &Namespace, enforcer: &Path, dir: &Path) -> Result<Program> {
    let address = MANAGEMENT.v4(PORT);
    let mut command = namespace.command(enforcer);
    command
        .args(["server", "run", "--log", "json", "--heartbeat", HEARTBEAT])
        .args(["--listen", &address.to_string(), "--state-dir"])
        .arg(dir.join("management"));
    let log = dir.join("management.log");
    let mut program = Program::start("management server", command, log)?;
    program.wait_for("the management server listens", STARTING, || {
        let connected =
            namespace.enter(|| TcpStream::connect_timeout(&address, patient(ACCEPTING)))?;
        Ok(connected.ok().map(drop))
    })?;
    Ok(program)
}

/// Writes what only its owner may read.
fn write_secret(path: &Path, secret: &str) -> Result<()> {
    let mut options = fs::File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(secret.trim().as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}
