//! A running server, its clients and its streams.

use std::{collections::VecDeque, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use enforcer_protocol::{
    decision::{Answers, Decision, Message, Query, Subject},
    judgement::Receipt,
    path,
    posture::{Device, Interface, Os, OsFamily, Posture, Settings, VERSION},
};
use enforcer_server::{ServeError, Server, ServerConfig, admin::Admin, store::tokens::Kind};
use reqwest::{Client, Response, StatusCode};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// What a test waits for comes within this, or not at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server with a state directory of its own, and a token of each kind.
pub struct Fixture {
    pub config: ServerConfig,
    pub agent: String,
    pub gateway: String,
    /// Absent while the server is stopped.
    running: Option<Running>,
    _temp: TempDir,
}

struct Running {
    address: SocketAddr,
    client: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Fixture {
    pub async fn start() -> Result<Self> {
        Self::start_with(|_| ()).await
    }

    /// Starts a server whose configuration was changed so.
    pub async fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Result<Self> {
        let temp = tempfile::tempdir()?;
        let mut config = ServerConfig {
            listen: vec!["127.0.0.1:0".parse()?],
            state_dir: temp.path().to_owned(),
            ..ServerConfig::default()
        };
        change(&mut config);
        let agent = make_token(temp.path(), Kind::Agent, "agent").await?;
        let gateway = make_token(temp.path(), Kind::Gateway, "gateway").await?;
        let mut fixture = Self {
            config,
            agent,
            gateway,
            running: None,
            _temp: temp,
        };
        fixture.resume().await?;
        Ok(fixture)
    }

    /// Starts the server again on the same state.
    pub async fn resume(&mut self) -> Result<()> {
        let server = Server::start(self.config.clone()).await?;
        let address = server.addresses()[0];
        let tls = server.pin().client_config();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(server.serve(shutdown));
        self.running = Some(Running {
            address,
            client,
            stop,
            task,
        });
        Ok(())
    }

    fn running(&self) -> &Running {
        self.running
            .as_ref()
            .expect("a test asks a running server only")
    }

    pub fn client(&self) -> &Client {
        &self.running().client
    }

    pub fn address(&self) -> SocketAddr {
        self.running().address
    }

    /// Stops the server and waits until it has.
    pub async fn stop(&mut self) -> Result<()> {
        let running = self.running.take().context("the server runs")?;
        let _ = running.stop.send(());
        Ok(timeout(PATIENCE, running.task).await???)
    }

    pub async fn admin(&self) -> Result<Admin> {
        Ok(Admin::open(&self.config.state_dir).await?)
    }

    pub async fn token(&self, kind: Kind, name: &str) -> Result<String> {
        make_token(&self.config.state_dir, kind, name).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address())
    }

    pub async fn post(
        &self,
        path: &str,
        token: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<Response> {
        let request = self
            .client()
            .post(self.url(path))
            .bearer_auth(token)
            .body(body);
        Ok(timeout(PATIENCE, request.send()).await??)
    }

    /// Reports, and expects it to be taken.
    pub async fn report(&self, posture: &Posture) -> Result<Receipt> {
        let response = self
            .post(path::REPORT, &self.agent, serde_json::to_vec(posture)?)
            .await?;
        expect_ok(response).await?.json().await.context("a receipt")
    }

    /// Asks about one host.
    pub async fn ask(
        &self,
        zone: &str,
        address: &str,
        mac: Option<&str>,
    ) -> Result<Option<Decision>> {
        let mac = mac.map(ToOwned::to_owned);
        let host = Subject {
            zone: zone.to_owned(),
            address: address.parse()?,
            mac,
        };
        let query = serde_json::to_vec(&Query { hosts: vec![host] })?;
        let response = self.post(path::QUERY, &self.gateway, query).await?;
        let mut answers: Answers = expect_ok(response).await?.json().await?;
        answers.decisions.pop().context("one answer for one host")
    }

    /// Opens a stream.
    pub async fn stream(&self, after: Option<u64>) -> Result<Stream> {
        let after = after
            .map(|after| format!("?after={after}"))
            .unwrap_or_default();
        let url = self.url(path::STREAM) + &after;
        let request = self.client().get(url).bearer_auth(&self.gateway);
        let response = expect_ok(timeout(PATIENCE, request.send()).await??).await?;
        Ok(Stream {
            response,
            lines: VecDeque::new(),
            partial: Vec::new(),
        })
    }
}

/// One open stream, read line by line.
pub struct Stream {
    response: Response,
    lines: VecDeque<Message>,
    partial: Vec<u8>,
}

impl Stream {
    /// The next message; `None` when the server has ended the stream.
    pub async fn next(&mut self) -> Result<Option<Message>> {
        timeout(PATIENCE, self.read())
            .await
            .context("the stream is silent")?
    }

    async fn read(&mut self) -> Result<Option<Message>> {
        while self.lines.is_empty() {
            let Some(chunk) = self.response.chunk().await? else {
                return Ok(None);
            };
            self.partial.extend_from_slice(&chunk);
            while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.partial.drain(..=end).collect();
                self.lines.push_back(serde_json::from_slice(&line)?);
            }
        }
        Ok(self.lines.pop_front())
    }

    /// The next message that is no heartbeat.
    pub async fn next_news(&mut self) -> Result<Message> {
        loop {
            match self.next().await?.context("the stream has ended")? {
                Message::Heartbeat { .. } => {}
                news => return Ok(news),
            }
        }
    }

    /// The snapshot that the stream begins with: its revision and its rows.
    pub async fn snapshot(&mut self) -> Result<(u64, Vec<Decision>)> {
        let Message::Snapshot { revision, count } = self.next_news().await? else {
            bail!("no snapshot");
        };
        let mut rows = Vec::new();
        for _ in 0..count {
            let Message::Row { decision } = self.next_news().await? else {
                bail!("no row")
            };
            rows.push(decision);
        }
        let Message::SnapshotEnd { revision: end } = self.next_news().await? else {
            bail!("no end after {count} rows");
        };
        assert_eq!(revision, end);
        Ok((revision, rows))
    }

    /// The change that comes next.
    pub async fn change(&mut self) -> Result<(u64, Decision)> {
        match self.next_news().await? {
            Message::Change { revision, decision } => Ok((revision, decision)),
            other => bail!("{other:?} is no change"),
        }
    }
}

/// A compliant endpoint.
pub fn posture(id: &str) -> Posture {
    Posture {
        version: VERSION,
        device: Device {
            id: id.to_owned(),
            name: format!("{id}.example"),
            owner: None,
        },
        os: Os {
            family: OsFamily::Linux,
            name: "debian".to_owned(),
            version: "12.5".to_owned(),
            kernel: None,
        },
        missing_updates: Some(vec![]),
        software: Some(vec![]),
        services: None,
        settings: Settings {
            firewall: Some(true),
            disk_encrypted: Some(true),
        },
        interfaces: vec![Interface {
            name: "eth0".to_owned(),
            mac: "02:00:00:00:00:05".to_owned(),
            addresses: vec!["10.0.0.5".parse().expect("an address")],
        }],
        attributes: [].into(),
    }
}

/// The same endpoint with its firewall off.
pub fn failing(id: &str) -> Posture {
    let mut posture = posture(id);
    posture.settings.firewall = Some(false);
    posture
}

async fn make_token(state_dir: &Path, kind: Kind, name: &str) -> Result<String> {
    let mut admin = Admin::open_or_make(state_dir).await?;
    let (_, secret) = admin.create_token(kind, name, None).await?;
    Ok(secret.reveal().to_owned())
}

async fn expect_ok(response: Response) -> Result<Response> {
    if response.status() == StatusCode::OK {
        return Ok(response);
    }
    bail!("{}: {}", response.status(), response.text().await?)
}
