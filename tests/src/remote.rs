//! A management server on a machine of its own, behind the gateway.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context;
use serde_json::Value;

use crate::{
    host::Host,
    lan::{SERVER, SERVER_V6, at},
    namespace::output,
    posture::Posture,
    site::{Site, enforcer},
    wait,
};

/// Where it listens.
const PORT: u16 = 8443;

/// A management server beside the other servers of a site; killed when dropped.
pub struct Remote<'a> {
    site: &'a Site,
    child: Child,
}

impl<'a> Remote<'a> {
    /// Starts one and waits until it can be reached.
    pub fn start(site: &'a Site) -> anyhow::Result<Self> {
        let mut command = site.lan.behind.command(enforcer());
        command.args(["server", "run", "--state-dir"]);
        command.arg(site.path("remote"));
        for address in ends() {
            command.args(["--listen", &address.to_string()]);
        }
        let log = fs::File::create(site.path("remote.log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("the server could not be started")?;
        let remote = Self { site, child };
        // It writes this when it listens.
        let addresses = site.path("remote/server.addr");
        wait::until_so("the management server listens", || addresses.exists());
        Ok(remote)
    }

    /// The section of a gateway's configuration that names it, by its IPv4 address.
    pub fn section(&self) -> anyhow::Result<String> {
        let token = self.token("gateway", "gateway", None)?;
        Ok(format!(
            "url = \"https://{SERVER}:{PORT}\"\npin = \"{}\"\ntoken_file = \"{}\"\n",
            self.pin()?,
            token.display()
        ))
    }

    /// The file with the token of agents in this zone.
    pub fn agents_of(&self, zone: &str) -> anyhow::Result<PathBuf> {
        self.token("agent", zone, Some(zone))
    }

    /// Has a host of the zone `lan` report to one of the server's addresses; the role that it is given.
    pub fn report(&self, host: &Host, to: SocketAddr, posture: &Posture) -> anyhow::Result<String> {
        let token = self.agents_of("lan")?;
        self.report_with(&token, host, to, posture)
    }

    /// The same with this token.
    pub fn report_with(
        &self,
        token: &Path,
        host: &Host,
        to: SocketAddr,
        posture: &Posture,
    ) -> anyhow::Result<String> {
        let pin = self.pin()?;
        self.site.report_to(host, to, &pin, token, posture)
    }

    /// Where it listens, by IPv4 and by IPv6.
    pub fn ends(&self) -> [SocketAddr; 2] {
        ends()
    }

    fn pin(&self) -> anyhow::Result<String> {
        let pin = fs::read_to_string(self.site.path("remote/server.pin"))?;
        Ok(pin.trim().to_owned())
    }

    fn token(&self, kind: &str, name: &str, zone: Option<&str>) -> anyhow::Result<PathBuf> {
        let path = self.site.path(format!("{kind}-{name}.token"));
        if path.exists() {
            return Ok(path);
        }
        let mut create = Command::new(enforcer());
        create
            .args(["server", "token", "create", "--output", "json"])
            .args(["--kind", kind, "--name", name, "--state-dir"])
            .arg(self.site.path("remote"));
        create.args(zone.iter().flat_map(|zone| ["--zone", zone]));
        let made: Value = serde_json::from_str(&output(&mut create)?)?;
        let secret = made["secret"].as_str().context("a token without secret")?;
        let mut options = fs::File::options();
        let options = options.write(true).create_new(true).mode(0o600);
        std::io::Write::write_all(&mut options.open(&path)?, secret.as_bytes())?;
        Ok(path)
    }
}

fn ends() -> [SocketAddr; 2] {
    [at(SERVER, PORT), at(SERVER_V6, PORT)]
}

impl Drop for Remote<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.site.path("remote.log"));
            eprintln!("the management server's log:\n{}", log.unwrap_or_default());
        }
    }
}
