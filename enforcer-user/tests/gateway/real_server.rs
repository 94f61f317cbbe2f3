//! The management server itself, with its state, until it is dropped.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use enforcer::sources::server::{Credentials, Server as Way};
use enforcer_agent::{client::Client, token::Token};
use enforcer_protocol::{
    judgement::Receipt,
    pin::Pin,
    posture::{Device, Interface, Os, OsFamily, Posture, Settings, VERSION},
};
use enforcer_server::{Server, ServerConfig, admin::Admin, store::tokens::Kind};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::odd_server::server;

/// The zone of everything that is reported.
pub const ZONE: &str = "lab";

/// The server with its state directory, which outlives a stop.
pub struct RealServer {
    state: TempDir,
    address: SocketAddr,
    pin: Pin,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// What its operator can do.
    pub admin: Admin,
    agent: String,
    gateway: String,
}

impl RealServer {
    /// A new one on a free port.
    pub async fn start() -> Self {
        let state = tempfile::tempdir().expect("a directory");
        let server = listen(&state, (Ipv4Addr::LOCALHOST, 0).into()).await;
        let (address, pin) = (server.addresses()[0], server.pin());
        let mut admin = Admin::open(state.path()).await.expect("a state");
        let agent = admin
            .create_token(Kind::Agent, "agent", Some(ZONE))
            .await
            .expect("a token");
        let gateway = admin
            .create_token(Kind::Gateway, "gateway", None)
            .await
            .expect("a token");
        Self {
            state,
            address,
            pin,
            running: Some(serve(server)),
            admin,
            agent: agent.1.reveal().to_owned(),
            gateway: gateway.1.reveal().to_owned(),
        }
    }

    /// Stops it.
    pub async fn stop(&mut self) {
        let (stop, task) = self.running.take().expect("it runs");
        drop(stop);
        task.await.expect("a server that stops");
    }

    /// Starts it again where it was.
    pub async fn start_again(&mut self) {
        self.running = Some(serve(listen(&self.state, self.address).await));
    }

    /// The way of a gateway with these credentials.
    pub fn way_with(&self, credentials: Credentials) -> Way {
        let url = format!("https://{}/", self.address).parse().expect("a URL");
        Way::new(url, self.pin, credentials).expect("a client")
    }

    /// A gateway's way to it.
    pub fn way(&self) -> Way {
        server(self.address, self.pin, &self.gateway)
    }

    /// Reports a posture from an endpoint with this identifier, firewall and claimed address.
    pub async fn report(&self, id: &str, firewall: bool, claim: Option<(&str, IpAddr)>) -> Receipt {
        let url = format!("https://{}", self.address).parse().expect("a URL");
        let token = Token::parse(&self.agent).expect("a token");
        let client = Client::new(url, self.pin, &token).expect("a client");
        client
            .report(&posture(id, firewall, claim))
            .await
            .expect("a receipt")
    }
}

async fn listen(state: &TempDir, address: SocketAddr) -> Server {
    let config = ServerConfig {
        listen: vec![address],
        state_dir: state.path().to_owned(),
        heartbeat: Duration::from_millis(100),
        ..ServerConfig::default()
    };
    Server::start(config).await.expect("a server that starts")
}

fn serve(server: Server) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = server.serve(async { stopped.await.unwrap_or_default() });
    (
        stop,
        tokio::spawn(async { serving.await.expect("a server that serves") }),
    )
}

fn posture(id: &str, firewall: bool, claim: Option<(&str, IpAddr)>) -> Posture {
    let interface = |(mac, address): (&str, IpAddr)| Interface {
        name: "eth0".to_owned(),
        mac: mac.to_owned(),
        addresses: vec![address],
    };
    Posture {
        version: VERSION,
        device: Device {
            id: id.to_owned(),
            name: id.to_owned(),
            owner: None,
        },
        os: Os {
            family: OsFamily::Linux,
            name: "debian".to_owned(),
            version: "12.11".to_owned(),
            kernel: None,
        },
        missing_updates: Some(vec![]),
        software: Some(vec![]),
        services: None,
        settings: Settings {
            firewall: Some(firewall),
            disk_encrypted: Some(true),
        },
        interfaces: claim.map(interface).into_iter().collect(),
        attributes: [].into(),
    }
}
