//! Several management servers, of which one is followed.

use std::time::Duration;

use enforcer::{
    identity::Zones,
    metrics::Metrics,
    sources::{
        Source, SourceEvent,
        management::{Followed, Limits, Management},
        queries::{Asker, Question},
        server::Server,
    },
};
use enforcer_common::host::Host;
use enforcer_protocol::decision::{Answers, Message};
use tokio::task::JoinSet;

use crate::{
    listen::Ear,
    odd_server::{Exchange, OddServer},
    stream_of_an_odd_one::{begin, end, row},
};

const LIMITS: Limits = Limits {
    silence: Duration::from_secs(20),
    patience: Duration::from_millis(300),
    retry: Duration::from_millis(200),
};

fn follow(servers: &[&OddServer]) -> (Ear, Followed, JoinSet<()>) {
    let (outlet, ear) = Ear::new();
    let servers = servers.iter().map(|one| one.server()).collect();
    let followed = Followed::default();
    let mut tasks = JoinSet::new();
    let source = Management::new(servers, LIMITS, followed.clone());
    tasks.spawn(source.run(outlet));
    (ear, followed, tasks)
}

/// Answers with a whole snapshot of this one endpoint.
async fn tell_whole(server: &OddServer, revision: u64, endpoint: &str) -> Exchange {
    let mut exchange = server.accept().await;
    assert!(!exchange.request.contains("after="), "a whole snapshot");
    exchange.begin().await;
    for message in [begin(revision, 1), row(endpoint), end(revision)] {
        exchange.tell(&message).await;
    }
    exchange
}

/// The next snapshot: of which server, at which revision, of whom.
async fn snapshot(ear: &mut Ear) -> (usize, u64, String) {
    loop {
        match ear.news().await {
            SourceEvent::Snapshot {
                server,
                revision,
                decisions,
                ..
            } => return (server, revision, decisions[0].endpoint.clone()),
            SourceEvent::Connected { .. } | SourceEvent::Lost { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_next_one_stands_in_and_the_preferred_one_comes_back() {
    let (first, second) = (OddServer::start().await, OddServer::start().await);
    let (mut ear, followed, _tasks) = follow(&[&first, &second]);
    let exchange = tell_whole(&first, 900, "a").await;
    assert_eq!(snapshot(&mut ear).await, (0, 900, "a".to_owned()));
    exchange.end().await;

    // It is lost for longer than a restart takes: attempts with what is held, and then the other one.
    let gone = async {
        loop {
            let mut exchange = first.accept().await;
            assert!(exchange.request.contains("?after=900 "));
            exchange.answer("503 Service Unavailable", "").await;
        }
    };
    let mut stand_in = tokio::select! {
        () = gone => unreachable!(),
        exchange = tell_whole(&second, 5, "b") => exchange,
    };
    assert_eq!(snapshot(&mut ear).await, (1, 5, "b".to_owned()));

    // Until the preferred one has said everything, the other one counts.
    let mut back = first.accept().await;
    assert!(!back.request.contains("after="), "{}", back.request);
    back.begin().await;
    back.tell(&begin(901, 1)).await;
    stand_in.tell(&Message::Heartbeat { revision: 5 }).await;
    assert!(matches!(ear.next().await, SourceEvent::Alive));
    for message in [row("c"), end(901)] {
        back.tell(&message).await;
    }
    assert_eq!(snapshot(&mut ear).await, (0, 901, "c".to_owned()));
    back.tell(&Message::Heartbeat { revision: 901 }).await;
    assert!(matches!(ear.next().await, SourceEvent::Alive));
    drop((stand_in, followed));
}

#[tokio::test]
async fn a_restart_of_the_preferred_one_is_waited_for() {
    let (first, second) = (OddServer::start().await, OddServer::start().await);
    let (mut ear, _followed, _tasks) = follow(&[&first, &second]);
    let exchange = tell_whole(&first, 7, "a").await;
    assert_eq!(snapshot(&mut ear).await, (0, 7, "a".to_owned()));
    exchange.end().await;
    let mut again = first.accept().await;
    assert!(again.request.contains("?after=7 "), "{}", again.request);
    again.begin().await;
    again.tell(&Message::Heartbeat { revision: 7 }).await;
    let mut news = ear.next().await;
    while !matches!(news, SourceEvent::Alive) {
        assert!(
            matches!(
                news,
                SourceEvent::Lost { .. } | SourceEvent::Connected { .. }
            ),
            "{news:?}"
        );
        news = ear.next().await;
    }
}

#[tokio::test]
async fn everything_is_said_again_when_asked_for() {
    let server = OddServer::start().await;
    let (mut ear, _followed, _tasks) = follow(&[&server]);
    let first = tell_whole(&server, 7, "a").await;
    assert_eq!(snapshot(&mut ear).await, (0, 7, "a".to_owned()));
    ear.ask_again();
    let second = tell_whole(&server, 7, "a").await;
    assert_eq!(snapshot(&mut ear).await, (0, 7, "a".to_owned()));
    drop((first, second));
}

#[tokio::test]
async fn questions_go_to_the_one_that_is_followed() {
    let (first, second) = (OddServer::start().await, OddServer::start().await);
    let (mut ear, followed, mut tasks) = follow(&[&first, &second]);
    let address = std::net::IpAddr::from([10, 0, 0, 1]).into();
    let host = Host { zone: 0, address };
    let (outlet, mut answers) = Ear::new();
    let servers: Vec<Server> = [&first, &second].map(OddServer::server).to_vec();
    let took = Metrics::new().expect("metrics").queries();
    let zones = Zones::new(["lab".to_owned()]);
    let (queries, asker) = Asker::new(servers, followed, zones, outlet, took);
    tasks.spawn(asker.run());

    first
        .accept()
        .await
        .answer("503 Service Unavailable", "")
        .await;
    let stream = tell_whole(&second, 5, "a").await;
    assert_eq!(snapshot(&mut ear).await, (1, 5, "a".to_owned()));
    queries.ask(Question { host, mac: None });
    let mut question = second.accept().await;
    assert!(
        question.request.starts_with("POST "),
        "{}",
        question.request
    );
    let none = Answers {
        revision: 5,
        decisions: vec![None],
    };
    let none = serde_json::to_string(&none).expect("text");
    question.answer("200 OK", &none).await;
    let answer = answers.next().await;
    assert!(
        matches!(
            answer,
            SourceEvent::Answers {
                server: 1,
                revision: 5,
                ..
            }
        ),
        "{answer:?}"
    );
    drop(stream);
}
