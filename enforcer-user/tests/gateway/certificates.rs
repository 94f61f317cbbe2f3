//! By what the gateway is known to a server, and the server to it.

use enforcer::sources::{
    Source,
    management::SILENCE,
    server::{Credentials, Server, Token},
};
use enforcer_protocol::pin::{ClientCertificate, Pin};
use rustls::pki_types::PrivateKeyDer;

use crate::{
    listen::Ear,
    odd_server::{OddServer, follower, made_certificate},
    real_server::RealServer,
};

#[tokio::test]
async fn a_gateway_is_known_by_its_certificate() {
    let (own, key) = made_certificate();
    let odd = OddServer::start_for(Some(Pin::of(&own))).await;
    let certificate = ClientCertificate {
        chain: vec![own],
        key: PrivateKeyDer::try_from(key).expect("a key"),
    };
    let credentials = Credentials {
        token: None,
        certificate: Some(certificate),
    };
    let server = Server::new(odd.server().url().clone(), odd.pin(), credentials);
    let (outlet, mut ear) = Ear::new();
    let source = follower(server.expect("a client"), SILENCE).run(outlet);
    let task = tokio::spawn(source);
    let mut exchange = odd.accept().await;
    assert!(!exchange.request.contains("authorization"), "no token");
    exchange.begin().await;
    ear.connected().await;
    task.abort();
}

#[tokio::test]
async fn the_management_server_knows_a_gateway_by_its_certificate() {
    let mut server = RealServer::start().await;
    let (own, key) = made_certificate();
    let pin = Pin::of(&own);
    let way = server.way_with(Credentials {
        token: None,
        certificate: Some(ClientCertificate {
            chain: vec![own],
            key: PrivateKeyDer::try_from(key).expect("a key"),
        }),
    });
    let (outlet, mut ear) = Ear::new();
    let task = tokio::spawn(follower(way, SILENCE).run(outlet));
    let why = ear.lost().await;
    assert!(why.contains("refuses this gateway's token"), "{why}");
    server
        .admin
        .admit_gateway("other", pin)
        .await
        .expect("admitted");
    ear.connected().await;
    task.abort();

    // Its fingerprint is no secret, and opens nothing by itself.
    let forged = format!("certificate {pin}");
    let token = Token::new(&forged).expect("a token");
    let (outlet, mut ear) = Ear::new();
    let way = server.way_with(token.into());
    let task = tokio::spawn(follower(way, SILENCE).run(outlet));
    let why = ear.lost().await;
    assert!(why.contains("refuses this gateway's token"), "{why}");
    task.abort();
}

#[tokio::test]
async fn a_gateway_with_another_certificate_is_not_let_in() {
    let (other, _) = made_certificate();
    let odd = OddServer::start_for(Some(Pin::of(&other))).await;
    let (own, key) = made_certificate();
    let credentials = Credentials {
        token: None,
        certificate: Some(ClientCertificate {
            chain: vec![own],
            key: PrivateKeyDer::try_from(key).expect("a key"),
        }),
    };
    let server = Server::new(odd.server().url().clone(), odd.pin(), credentials);
    let (outlet, mut ear) = Ear::new();
    let task = tokio::spawn(follower(server.expect("a client"), SILENCE).run(outlet));
    let accepting = tokio::spawn(async move { odd.accept().await.request });
    let why = ear.lost().await;
    assert!(why.contains("cannot reach the management server"), "{why}");
    assert!(accepting.await.is_err(), "no handshake");
    task.abort();
}

#[tokio::test]
async fn another_certificate_is_named_with_what_to_do() {
    let odd = OddServer::start().await;
    let shown = odd.pin();
    let wrong = Pin::of(b"another");
    let credentials = Credentials::default();
    let server = Server::new(odd.server().url().clone(), wrong, credentials).expect("a client");
    let server = server.pinned_in("`management.pin` in /etc/enforcer/enforcer.toml");
    let (outlet, mut ear) = Ear::new();
    let task = tokio::spawn(follower(server, SILENCE).run(outlet));
    let accepting = tokio::spawn(async move { odd.accept().await.request });
    let why = ear.lost().await;
    for words in [
        &*wrong.to_string(),
        &*shown.to_string(),
        "`management.pin` in /etc/enforcer/enforcer.toml",
        "`enforcer server pin`",
        "Nothing was told to it",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    assert!(accepting.await.is_err(), "no handshake");
    task.abort();
}
