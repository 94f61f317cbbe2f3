//! Reports to the management server itself.

use std::net::{Ipv4Addr, SocketAddr};

use enforcer_agent::{
    client::{Client, ReportError},
    token::Token,
};
use enforcer_protocol::{judgement::Level, pin::Pin};
use enforcer_server::{Server, ServerConfig, admin::Admin, store::tokens::Kind};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::sample::posture;

/// A management server with its state, until it is dropped.
struct Running {
    address: SocketAddr,
    pin: Pin,
    admin: Admin,
    _stop: oneshot::Sender<()>,
    _state: TempDir,
}

impl Running {
    async fn start() -> Self {
        let state = tempfile::tempdir().unwrap();
        let config = ServerConfig {
            listen: vec![(Ipv4Addr::LOCALHOST, 0).into()],
            state_dir: state.path().to_owned(),
            ..ServerConfig::default()
        };
        let server = Server::start(config).await.unwrap();
        let (address, pin) = (server.addresses()[0], server.pin());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.serve(async { stopped.await.unwrap_or_default() }));
        let admin = Admin::open(state.path()).await.unwrap();
        Self {
            address,
            pin,
            admin,
            _stop: stop,
            _state: state,
        }
    }

    async fn client(&mut self, kind: Kind) -> Client {
        let (_, secret) = self
            .admin
            .create_token(kind, kind.as_str(), None)
            .await
            .unwrap();
        self.client_with(secret.reveal())
    }

    fn client_with(&self, token: &str) -> Client {
        let url = format!("https://{}", self.address).parse().unwrap();
        Client::new(url, self.pin, &Token::parse(token).unwrap()).unwrap()
    }
}

fn status(error: &ReportError) -> u16 {
    let ReportError::Refused {
        status,
        problem: Some(problem),
        ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert!(
        problem.detail.is_some(),
        "the server does not say what to do"
    );
    status.as_u16()
}

#[tokio::test]
async fn takes_the_report_and_judges_it() {
    let mut server = Running::start().await;
    let client = server.client(Kind::Agent).await;
    let receipt = client.report(&posture()).await.unwrap();
    assert_eq!(receipt.endpoint, "laptop-1");
    assert_eq!(receipt.observed.ip(), Ipv4Addr::LOCALHOST);
    assert_eq!(receipt.judgement.level, Level::Safe);

    let mut open = posture();
    open.settings.firewall = Some(false);
    let next = client.report(&open).await.unwrap();
    assert!(next.revision > receipt.revision);
    assert_eq!(next.judgement.reasons[0].rule, "firewall");
}

#[tokio::test]
async fn refuses_tokens_that_do_not_hold() {
    let mut server = Running::start().await;
    let unknown = server
        .client_with("enf_agent_0")
        .report(&posture())
        .await
        .unwrap_err();
    assert_eq!(status(&unknown), 401);
    let gateway = server
        .client(Kind::Gateway)
        .await
        .report(&posture())
        .await
        .unwrap_err();
    assert_eq!(status(&gateway), 403);
}

#[tokio::test]
async fn refuses_a_device_without_a_name_to_go_by() {
    let mut server = Running::start().await;
    let mut nameless = posture();
    nameless.device.id = "../../etc".into();
    let error = server
        .client(Kind::Agent)
        .await
        .report(&nameless)
        .await
        .unwrap_err();
    assert_eq!(status(&error), 422);
    assert!(error.to_string().contains("device.id"), "{error}");
}
