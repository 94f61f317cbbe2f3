//! Questions about unknown hosts.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use enforcer::{
    identity::{Mac, Zones},
    metrics::Metrics,
    sources::{
        Answer, SourceEvent,
        clock::Clock,
        management::Followed,
        queries::{Asker, Queries, Question},
        server::Server,
    },
};
use enforcer_common::host::Host;
use enforcer_protocol::decision::{Answers, MAX_QUERY, Query};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::{
    listen::Ear,
    odd_server::{Exchange, OddServer},
    real_server::{RealServer, ZONE},
};

fn question(last: u8) -> Question {
    let address = IpAddr::from([10, 0, 0, last]).into();
    Question {
        host: Host { zone: 1, address },
        mac: Some(Mac([2, 0, 0, 0, 0, last])),
    }
}

fn ask(server: Server) -> (Queries, Ear, JoinSet<()>) {
    let (outlet, ear) = Ear::new();
    let zones = Zones::new(["office".to_owned(), ZONE.to_owned()]);
    let took = Metrics::new().expect("metrics").queries();
    let (queries, asker) = Asker::new(vec![server], Followed::default(), zones, outlet, took);
    let mut tasks = JoinSet::new();
    tasks.spawn(asker.run());
    (queries, ear, tasks)
}

async fn answers(ear: &mut Ear) -> Vec<Answer> {
    match ear.next().await {
        SourceEvent::Answers { answers, .. } => answers,
        other => panic!("{other:?}"),
    }
}

fn asked(exchange: &Exchange) -> Query {
    let (head, body) = exchange.request.split_once("\r\n\r\n").expect("a body");
    assert!(
        head.starts_with("POST /v1/decisions/query HTTP/1.1"),
        "{head}"
    );
    serde_json::from_str(body).expect("a query")
}

async fn know_nothing(exchange: &mut Exchange, hosts: usize) {
    let decisions = vec![None; hosts];
    let answers = Answers {
        revision: 1,
        decisions,
    };
    let body = serde_json::to_string(&answers).expect("JSON");
    exchange.answer("200 OK", &body).await;
}

#[tokio::test]
async fn the_servers_clock_is_heard_with_its_answers() {
    let odd = OddServer::start().await;
    let clock = Arc::new(Clock::default());
    let (queries, mut ear, _tasks) = ask(odd.server().timed_by(&clock));
    queries.ask(question(5));
    let exchange = &mut odd.accept().await;
    let there = Timestamp::now() + SignedDuration::from_hours(5);
    assert!(clock.here(there) > Timestamp::now() + SignedDuration::from_hours(4));
    let date = there.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let body = r#"{"revision": 1, "decisions": [null]}"#;
    let length = body.len();
    exchange
        .say(&format!(
            "HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
    answers(&mut ear).await;
    let off = clock.here(there).duration_since(Timestamp::now()).abs();
    assert!(off < SignedDuration::from_mins(1), "{off}");
}

#[tokio::test]
async fn the_server_itself_answers() {
    let server = RealServer::start().await;
    let claim = (
        "02:00:00:00:00:05",
        IpAddr::from(Ipv4Addr::new(10, 0, 0, 5)),
    );
    server.report("laptop", true, Some(claim)).await;
    let (queries, mut ear, _tasks) = ask(server.way());
    queries.ask(question(5));
    let known = answers(&mut ear).await;
    assert_eq!(known[0].host, question(5).host);
    let decision = known[0].decision.as_ref().expect("it knows that host");
    assert_eq!(
        (decision.endpoint.as_str(), decision.zone.as_str()),
        ("laptop", ZONE)
    );
    queries.ask(question(6));
    assert_eq!(answers(&mut ear).await[0].decision, None);
    assert_eq!(
        (queries.stats().asked(), queries.stats().answered()),
        (2, 2)
    );
}

#[tokio::test]
async fn what_waits_travels_together_and_once() {
    let odd = OddServer::start().await;
    let (queries, mut ear, _tasks) = ask(odd.server());
    let mut under_way = Vec::new();
    for last in 1..=4 {
        queries.ask(question(last));
        let exchange = odd.accept().await;
        assert_eq!(
            asked(&exchange).hosts.len(),
            1,
            "no waiting while a request is free"
        );
        under_way.push(exchange);
    }
    for last in (1..=10).chain(5..=10) {
        queries.ask(question(last));
    }
    know_nothing(&mut under_way[0], 1).await;
    assert_eq!(answers(&mut ear).await[0].host, question(1).host);
    // The connection is kept, so that the next request comes on it.
    let hosts = asked_next(&odd, &mut under_way[0]).await;
    let addresses: Vec<_> = hosts.hosts.iter().map(|host| host.address).collect();
    let expected: Vec<_> = (5..=10)
        .map(|last| IpAddr::from([10, 0, 0, last]))
        .collect();
    assert_eq!(addresses, expected);
    assert_eq!(hosts.hosts[0].mac.as_deref(), Some("02:00:00:00:00:05"));
    assert_eq!(queries.stats().coalesced(), 10);
}

/// The next query, on the same connection or on a new one.
async fn asked_next(odd: &OddServer, exchange: &mut Exchange) -> Query {
    tokio::select! {
        () = exchange.hear() => asked(exchange),
        exchange = odd.accept() => asked(&exchange),
    }
}

#[tokio::test]
async fn a_failed_question_may_be_asked_again_at_once() {
    let odd = OddServer::start().await;
    let (queries, mut ear, _tasks) = ask(odd.server());
    queries.ask(question(1));
    let mut exchange = odd.accept().await;
    know_nothing(&mut exchange, 2).await;
    while queries.stats().failed() == 0 {
        tokio::task::yield_now().await;
    }
    queries.ask(question(1));
    let query = asked_next(&odd, &mut exchange).await;
    assert_eq!(query.hosts.len(), 1);
    know_nothing(&mut exchange, 1).await;
    assert_eq!(answers(&mut ear).await[0].decision, None);
}

#[tokio::test]
async fn a_flood_is_bounded() {
    let odd = OddServer::start().await;
    let (queries, mut ear, _tasks) = ask(odd.server());
    let host = |number: u32| Host {
        zone: 1,
        address: IpAddr::from(number.to_be_bytes()).into(),
    };
    for number in 0..20_000 {
        queries.ask(Question {
            host: host(number),
            mac: None,
        });
    }
    assert!(queries.stats().dropped() >= 20_000 - 8192);
    let mut exchange = odd.accept().await;
    let hosts = asked(&exchange).hosts.len();
    assert_eq!(hosts, MAX_QUERY);
    know_nothing(&mut exchange, hosts).await;
    assert_eq!(answers(&mut ear).await.len(), MAX_QUERY);
}
