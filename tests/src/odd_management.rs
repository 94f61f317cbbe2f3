//! A management server that says what a test has it say, also what none should.

mod desk;

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use enforcer_protocol::{
    decision::{Decision, Message},
    judgement::Level,
    pin::Pin,
};
use jiff::Timestamp;
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;

use crate::{namespace::Namespace, serving::Serving, site::Site};
use desk::Desk;

/// Between two signs of life.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// How much may be said before the slowest who listens has to have heard it.
const BACKLOG: usize = 1 << 16;

/// Longer than anybody waits for an answer.
const SLOW: Duration = Duration::from_secs(10);

/// How it treats those who ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    #[default]
    Good,
    /// It keeps connections, and says nothing any more.
    Mute,
    /// It answers questions when nobody waits any more.
    Slow,
    /// It ends each snapshot in the middle.
    Broken,
}

/// What it has to say.
#[derive(Debug, Default)]
struct Script {
    revision: u64,
    decisions: BTreeMap<IpAddr, Decision>,
    /// The role of everybody else, of whom it only speaks when it is asked.
    others: Option<&'static str>,
    manner: Manner,
    /// How many whole snapshots it has told.
    told: u64,
    /// When it began to tell the last of them.
    began: Option<Instant>,
}

/// Something for all open streams.
#[derive(Clone, Debug)]
enum Order {
    Say(String),
    HangUp,
}

/// A management server on a thread of its own, until it is dropped.
pub struct OddManagement {
    address: SocketAddr,
    pin: Pin,
    script: Arc<Mutex<Script>>,
    orders: broadcast::Sender<Order>,
    _serving: Serving,
}

impl OddManagement {
    /// Starts one on this port of the machine that the gateway runs on.
    pub fn start(site: &Site, port: u16) -> anyhow::Result<Self> {
        let (acceptor, pin) = identity()?;
        Self::listen(&site.lan.gateway, port, acceptor, pin)
    }

    fn listen(
        namespace: &Namespace,
        port: u16,
        acceptor: TlsAcceptor,
        pin: Pin,
    ) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let script = Arc::<Mutex<Script>>::default();
        let (orders, _) = broadcast::channel(BACKLOG);
        let desk = Desk {
            acceptor,
            end: address,
            script: script.clone(),
            orders: orders.clone(),
        };
        let serve = async move |listener| desk.serve(listener).await;
        Ok(Self {
            address,
            pin,
            script,
            orders,
            _serving: Serving::start(namespace, address, serve)?,
        })
    }

    /// The keys by which a configuration names it.
    pub fn keys(&self, site: &Site) -> anyhow::Result<String> {
        let token = site.path("odd.token");
        fs::write(&token, "any")?;
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600))?;
        Ok(format!(
            "url = \"https://{}/\"\npin = \"{}\"\ntoken_file = \"{}\"\n",
            self.address,
            self.pin,
            token.display()
        ))
    }

    /// Says from the next stream on that these hosts have these roles, at a later revision. Streams that are open hear
    /// nothing of it.
    pub fn decide<'a>(&self, hosts: impl IntoIterator<Item = (IpAddr, &'a str)>) {
        let hosts = hosts.into_iter();
        let decisions = hosts
            .map(|(address, role)| (address, decision(self.address, address, role)))
            .collect();
        let mut script = self.script();
        script.revision += 1;
        script.decisions = decisions;
    }

    /// Has another role for one host from now on, and says so.
    pub fn change(&self, address: IpAddr, role: &str) {
        let decision = decision(self.address, address, role);
        let revision = {
            let mut script = self.script();
            script.revision += 1;
            script.decisions.insert(address, decision.clone());
            script.revision
        };
        self.say(&Message::Change { revision, decision });
    }

    /// Answers from now on that everybody has this role of whom it has not decided.
    pub fn know_others(&self, role: &'static str) {
        self.script().others = Some(role);
    }

    /// Says from the next stream on that it is at this revision.
    pub fn set_revision(&self, revision: u64) {
        self.script().revision = revision;
    }

    /// Treats those who ask otherwise from now on.
    pub fn set_manner(&self, manner: Manner) {
        self.script().manner = manner;
    }

    /// How many whole snapshots it has told.
    pub fn told(&self) -> u64 {
        self.script().told
    }

    /// When it began to tell its last snapshot.
    pub fn began(&self) -> Option<Instant> {
        self.script().began
    }

    /// Says something to all who listen.
    pub fn say(&self, message: &Message) {
        let line = serde_json::to_string(message).expect("text and numbers");
        // Nobody may listen.
        let _ = self.orders.send(Order::Say(line));
    }

    /// Withdraws what it decided of these hosts, one after the other.
    pub fn withdraw(&self, hosts: impl IntoIterator<Item = IpAddr>) {
        for address in hosts {
            let revision = {
                let mut script = self.script();
                script.revision += 1;
                script.decisions.remove(&address);
                script.revision
            };
            let endpoint = address.to_string();
            self.say(&Message::Withdraw { revision, endpoint });
        }
    }

    /// Ends all streams.
    pub fn hang_up(&self) {
        let _ = self.orders.send(Order::HangUp);
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What it decides of a host that has reported at this end of it.
fn decision(end: SocketAddr, address: IpAddr, role: &str) -> Decision {
    Decision {
        endpoint: address.to_string(),
        name: format!("host {address}"),
        owner: None,
        zone: "lan".to_owned(),
        observed: Some(SocketAddr::new(address, 40_000)),
        observed_by: Some(end),
        observed_at: Some(Timestamp::now()),
        claims: vec![],
        role: role.to_owned(),
        level: Level::Safe,
        reasons: vec![],
        judged_at: Timestamp::now(),
        valid_until: None,
    }
}

fn identity() -> anyhow::Result<(TlsAcceptor, Pin)> {
    let made = rcgen::generate_simple_self_signed(["odd.test".to_owned()])?;
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der());
    let key = key.map_err(anyhow::Error::msg)?;
    let pin = Pin::of(&certificate);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok((Arc::new(config).into(), pin))
}
