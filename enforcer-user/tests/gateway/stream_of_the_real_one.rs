//! The stream of the management server itself.

use enforcer::sources::{Source, SourceEvent, management::SILENCE};
use enforcer_protocol::judgement::Level;
use tokio::task::JoinSet;

use crate::{listen::Ear, odd_server::follower, real_server::RealServer};

fn follow(server: &RealServer) -> (Ear, JoinSet<()>) {
    let (outlet, ear) = Ear::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(follower(server.way(), SILENCE).run(outlet));
    (ear, tasks)
}

#[tokio::test]
async fn snapshot_changes_heartbeats_and_withdrawals_arrive() {
    let mut server = RealServer::start().await;
    let first = server.report("laptop", true, None).await;
    let (mut ear, _tasks) = follow(&server);
    ear.connected().await;
    let SourceEvent::Snapshot {
        revision,
        decisions,
        ..
    } = ear.next().await
    else {
        panic!("no snapshot first");
    };
    assert!(revision >= first.revision);
    assert_eq!((decisions.len(), decisions[0].level), (1, Level::Safe));
    assert!(matches!(ear.next().await, SourceEvent::Alive));

    let second = server.report("laptop", false, None).await;
    let SourceEvent::Change { revision, decision } = ear.news().await else {
        panic!("no change");
    };
    assert_eq!(revision, second.revision);
    assert_eq!(decision.reasons[0].rule, "firewall");

    server
        .admin
        .delete_endpoint("laptop")
        .await
        .expect("deleted");
    let SourceEvent::Withdraw { endpoint, .. } = ear.news().await else {
        panic!("no withdrawal");
    };
    assert_eq!(endpoint, "laptop");
}

#[tokio::test]
async fn it_goes_on_where_it_was_when_the_server_comes_back() {
    let mut server = RealServer::start().await;
    server.report("laptop", true, None).await;
    let (mut ear, _tasks) = follow(&server);
    ear.connected().await;
    assert!(matches!(ear.next().await, SourceEvent::Snapshot { .. }));
    server.stop().await;
    let why = ear.lost().await;
    assert!(why.contains("ended the decision stream"), "{why}");

    server.start_again().await;
    server.report("printer", true, None).await;
    let mut news = ear.news().await;
    while let SourceEvent::Lost { .. } = news {
        news = ear.news().await;
    }
    assert!(matches!(news, SourceEvent::Connected { .. }), "{news:?}");
    let SourceEvent::Change { decision, .. } = ear.news().await else {
        panic!("no snapshot is needed");
    };
    assert_eq!(decision.endpoint, "printer");
}

#[tokio::test]
async fn a_revoked_token_ends_the_stream() {
    let mut server = RealServer::start().await;
    let (mut ear, _tasks) = follow(&server);
    ear.connected().await;
    server.admin.revoke_token("gateway").await.expect("revoked");
    assert!(matches!(ear.news().await, SourceEvent::Snapshot { .. }));
    let why = ear.lost().await;
    assert!(why.contains("ended the decision stream"), "{why}");
    let why = ear.lost().await;
    assert!(why.contains("refuses this gateway's token"), "{why}");
}
