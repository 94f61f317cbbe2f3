//! A client: its agent, and what its user does on the network.

use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

use super::addresses::Pair;
use super::answer::{self, Answer};
use super::management::Contact;
use super::namespace::{Namespace, output};
use super::posture::{self, Upkeep};
use super::wait::patient;
use super::watch::{Pace, Watch};

/// A client on the switch.
pub(super) struct Client {
    pub(super) name: &'static str,
    pub(super) namespace: Namespace,
    pub(super) addresses: Pair,
    mac: String,
    posture: PathBuf,
}

/// What the management server answers to a report.
pub(super) struct Receipt {
    /// The role that the client has by it.
    pub(super) role: String,
    /// What the client has to mend, each with the remedy.
    pub(super) reasons: Vec<Reason>,
    /// When the agent was started.
    pub(super) sent: Instant,
}

/// A rule that a client fails.
#[derive(Deserialize)]
pub(super) struct Reason {
    pub(super) text: String,
    pub(super) remedy: Option<String>,
}

impl Client {
    /// The client that stands in this namespace.
    pub(super) fn new(
        name: &'static str,
        namespace: Namespace,
        addresses: Pair,
        posture: PathBuf,
    ) -> Result<Self> {
        let mac = mac(&namespace)?;
        Ok(Self {
            name,
            namespace,
            addresses,
            mac,
            posture,
        })
    }

    /// Has the agent report.
    pub(super) fn report(&self, upkeep: Upkeep, server: &Contact) -> Result<Receipt> {
        #[derive(Deserialize)]
        struct Printed {
            judgement: Judgement,
        }
        #[derive(Deserialize)]
        struct Judgement {
            role: String,
            reasons: Vec<Reason>,
        }
        let document = posture::document(self.name, self.addresses, &self.mac, upkeep);
        fs::write(&self.posture, document.to_string())?;
        let mut agent = Command::new(&server.enforcer);
        agent
            .args(["agent", "report", "--output", "json"])
            .args(["--server", &server.url, "--pin", &server.pin])
            .arg("--token-file")
            .arg(&server.agent_token)
            .arg("--file")
            .arg(&self.posture);
        let sent = Instant::now();
        let printed = self.namespace.enter(|| output(&mut agent))??;
        let Printed { judgement } =
            serde_json::from_str(&printed).context("the receipt is not understood")?;
        Ok(Receipt {
            role: judgement.role,
            reasons: judgement.reasons,
            sent,
        })
    }

    /// Asks a web server for a page.
    pub(super) fn get(&self, server: SocketAddr, path: &str, limit: Duration) -> Result<Answer> {
        self.namespace.enter(|| answer::get(server, path, limit))
    }

    /// Begins to ask a web server for its page over and over.
    pub(super) fn watch(&self, server: SocketAddr, pace: Pace) -> Result<Watch> {
        Watch::start(&self.namespace, server, pace)
    }

    /// A socket that exchanges datagrams with a server.
    pub(super) fn datagrams(&self, server: SocketAddr, limit: Duration) -> Result<UdpSocket> {
        let connect = || -> io::Result<UdpSocket> {
            let local: SocketAddr = if server.is_ipv4() {
                ([0; 4], 0).into()
            } else {
                ([0_u16; 8], 0).into()
            };
            let socket = UdpSocket::bind(local)?;
            socket.connect(server)?;
            socket.set_read_timeout(Some(patient(limit)))?;
            Ok(socket)
        };
        Ok(self.namespace.enter(connect)??)
    }

    /// Whether a server sends a datagram back.
    pub(super) fn echoes(&self, server: SocketAddr, limit: Duration) -> Result<bool> {
        let socket = self.datagrams(server, limit)?;
        socket.send(b"anybody there?")?;
        Ok(socket.recv(&mut [0; 64]).is_ok())
    }

    /// Whether a server answers to `ping` within a second.
    pub(super) fn pings(&self, server: SocketAddr) -> Result<bool> {
        let limit = patient(Duration::from_secs(1)).as_secs().to_string();
        let mut ping = Command::new("ping");
        ping.args(["-n", "-q", "-c", "1", "-W", &limit]);
        ping.arg(server.ip().to_string());
        let done = self.namespace.enter(|| ping.output())??;
        Ok(done.status.success())
    }
}

/// The MAC address of a client's interface.
fn mac(namespace: &Namespace) -> Result<String> {
    #[derive(Deserialize)]
    struct Link {
        address: String,
    }
    let mut ip = Command::new("ip");
    ip.args(["-n", namespace.name(), "-json", "link", "show", "eth0"]);
    let links: Vec<Link> = serde_json::from_str(&output(&mut ip)?)?;
    let first = links.into_iter().next();
    first
        .map(|link| link.address)
        .ok_or_else(|| anyhow!("{} has no eth0", namespace.name()))
}
