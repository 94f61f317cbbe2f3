//! Streams that break the rules, and what becomes of them.

use std::{net::Ipv4Addr, time::Duration};

use enforcer::sources::{Source, SourceEvent, management::SILENCE};
use enforcer_protocol::{
    decision::{Decision, Message},
    judgement::Level,
    pin::Pin,
};
use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::{
    listen::Ear,
    odd_server::{OddServer, follower, server},
};

fn decision(endpoint: &str) -> Decision {
    Decision {
        endpoint: endpoint.to_owned(),
        name: String::new(),
        owner: None,
        zone: "lab".to_owned(),
        observed: None,
        observed_by: None,
        observed_at: None,
        claims: vec![],
        role: "authorized".to_owned(),
        level: Level::Safe,
        reasons: vec![],
        judged_at: Timestamp::UNIX_EPOCH,
        valid_until: None,
    }
}

pub fn begin(revision: u64, count: u64) -> Message {
    Message::Snapshot { revision, count }
}

pub fn row(endpoint: &str) -> Message {
    let decision = decision(endpoint);
    Message::Row { decision }
}

pub fn end(revision: u64) -> Message {
    Message::SnapshotEnd { revision }
}

/// A source that follows this server. It ends with the set.
fn follow(server: &OddServer, silence: Duration) -> (Ear, JoinSet<()>) {
    let (outlet, ear) = Ear::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(follower(server.server(), silence).run(outlet));
    (ear, tasks)
}

#[tokio::test]
async fn half_a_snapshot_is_not_applied_and_the_next_one_is() {
    let odd = OddServer::start().await;
    let (mut ear, _tasks) = follow(&odd, SILENCE);
    let mut exchange = odd.accept().await;
    assert!(
        exchange
            .request
            .starts_with("GET /v1/decisions/stream HTTP/1.1")
    );
    assert!(
        exchange
            .request
            .contains("authorization: Bearer gateway-token")
    );
    exchange.begin().await;
    for message in [begin(7, 2), row("a")] {
        exchange.tell(&message).await;
    }
    exchange.end().await;
    ear.connected().await;
    let why = ear.lost().await;
    assert!(why.contains("ended the decision stream"), "{why}");

    let mut exchange = odd.accept().await;
    assert!(!exchange.request.contains("after="), "nothing is held");
    exchange.begin().await;
    for message in [begin(8, 1), row("a"), end(8)] {
        exchange.tell(&message).await;
    }
    ear.connected().await;
    let event = ear.next().await;
    assert!(
        matches!(event, SourceEvent::Snapshot { revision: 8, .. }),
        "{event:?}"
    );
}

#[tokio::test]
async fn a_wrong_count_and_an_older_revision_are_refused() {
    let odd = OddServer::start().await;
    let (mut ear, _tasks) = follow(&odd, SILENCE);
    let mut exchange = odd.accept().await;
    exchange.begin().await;
    for message in [begin(7, 2), row("a"), end(7)] {
        exchange.tell(&message).await;
    }
    ear.connected().await;
    let why = ear.lost().await;
    assert!(why.contains("1 decisions instead of 2"), "{why}");

    let mut exchange = odd.accept().await;
    exchange.begin().await;
    for message in [begin(7, 0), end(7)] {
        exchange.tell(&message).await;
    }
    ear.connected().await;
    let event = ear.next().await;
    assert!(matches!(event, SourceEvent::Snapshot { .. }), "{event:?}");
    exchange
        .tell(&Message::Change {
            revision: 6,
            decision: decision("a"),
        })
        .await;
    let why = ear.lost().await;
    assert!(
        why.contains("revision 6") && why.contains("revision 7"),
        "{why}"
    );

    let exchange = odd.accept().await;
    assert!(
        exchange.request.contains("?after=7 "),
        "{}",
        exchange.request
    );
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up() {
    let odd = OddServer::start().await;
    let silence = Duration::from_millis(200);
    let (mut ear, _tasks) = follow(&odd, silence);
    let mut half_open = odd.accept().await;
    half_open.begin().await;
    ear.connected().await;
    let why = ear.lost().await;
    assert!(why.contains("has sent nothing for 0.2 s"), "{why}");

    // Nor is one waited for that does not even begin to answer.
    let mute = odd.accept().await;
    let why = ear.lost().await;
    assert!(why.contains("has not answered for 0.2 s"), "{why}");
    drop((half_open, mute));
}

#[tokio::test]
async fn what_is_no_stream_is_refused() {
    let odd = OddServer::start().await;
    let (mut ear, _tasks) = follow(&odd, SILENCE);
    let mut exchange = odd.accept().await;
    exchange.begin().await;
    exchange.say("<html>\n").await;
    ear.connected().await;
    let why = ear.lost().await;
    assert!(why.contains("no message"), "{why}");

    let mut exchange = odd.accept().await;
    exchange.begin().await;
    let long = "x".repeat(2 << 20);
    // It may hang up before it has heard all of it.
    let _ = tokio::spawn(async move { exchange.say(&long).await }).await;
    ear.connected().await;
    let why = ear.lost().await;
    assert!(why.contains("a line of more than"), "{why}");

    let mut exchange = odd.accept().await;
    exchange.answer("503 Service Unavailable", "").await;
    let why = ear.lost().await;
    assert!(why.contains("503"), "{why}");
}

#[tokio::test]
async fn a_refused_token_is_said_once() {
    let odd = OddServer::start().await;
    let (mut ear, _tasks) = follow(&odd, SILENCE);
    for _ in 0..3 {
        odd.accept().await.answer("401 Unauthorized", "").await;
    }
    let mut exchange = odd.accept().await;
    exchange.begin().await;
    let why = ear.lost().await;
    assert!(
        why.contains("refuses this gateway's token (401 Unauthorized)"),
        "{why}"
    );
    assert!(!why.contains("gateway-token"), "{why}");
    ear.connected().await;
}

#[tokio::test]
async fn a_server_with_another_certificate_hears_no_token() {
    let odd = OddServer::start().await;
    let address = odd
        .server()
        .url()
        .socket_addrs(|| None)
        .expect("an address")[0];
    let (outlet, mut ear) = Ear::new();
    let wrong = server(address, Pin::of(b"another"), "gateway-token");
    let source = tokio::spawn(follower(wrong, SILENCE).run(outlet));
    let serve = async move { odd.accept().await.request };
    let accepting = tokio::spawn(serve);
    let why = ear.lost().await;
    assert!(
        why.contains("does not show the certificate with the pin sha256:"),
        "{why}"
    );
    let handshake = accepting.await.expect_err("no handshake, so no request");
    assert!(handshake.is_panic());
    drop(ear);
    source.await.expect("it ends when nobody listens");
}

#[tokio::test]
async fn nobody_there_is_said() {
    let (outlet, mut ear) = Ear::new();
    let nobody = server(
        (Ipv4Addr::LOCALHOST, 1).into(),
        Pin::of(b"x"),
        "gateway-token",
    );
    let mut tasks = JoinSet::new();
    tasks.spawn(follower(nobody, SILENCE).run(outlet));
    let why = ear.lost().await;
    assert!(
        why.contains("cannot reach") && why.contains("Connection refused"),
        "{why}"
    );
}
