use enforcer_protocol::{
    judgement::Level,
    posture::{Device, Os, OsFamily, Posture, Settings, VERSION},
};
use sqlx::SqliteConnection;
use tokio::sync::broadcast::error::TryRecvError;

use super::*;
use crate::{
    state_dir::StateDir,
    store::{
        self,
        tokens::{Kind, NewToken, Secret},
    },
};

const DAY: Duration = Duration::from_hours(24);

/// A ledger over a database of its own, and what reports with it need.
struct Desk {
    ledger: Ledger,
    token: tokens::Token,
    dir: StateDir,
    _temp: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::make(temp.path()).unwrap();
        let mut connection = store::open(&dir).await.unwrap();
        let new = NewToken {
            name: "agent".to_owned(),
            kind: Kind::Agent,
            zone: Some("lan".to_owned()),
        };
        let token = tokens::insert(&mut connection, &new, &Secret::random(Kind::Agent)).await;
        let ledger = Ledger::open(connection, Policy::built_in(), DAY, 1000)
            .await
            .unwrap();
        Self {
            ledger,
            token: token.unwrap(),
            dir,
            _temp: temp,
        }
    }

    fn intake(&self, id: &str, firewall: bool) -> Intake {
        let posture = Posture {
            version: VERSION,
            device: Device {
                id: id.to_owned(),
                name: String::new(),
                owner: None,
            },
            os: Os {
                family: OsFamily::Linux,
                name: "debian".to_owned(),
                version: "12".to_owned(),
                kernel: None,
            },
            missing_updates: Some(vec![]),
            software: Some(vec![]),
            services: None,
            settings: Settings {
                firewall: Some(firewall),
                disk_encrypted: Some(true),
            },
            interfaces: vec![],
            attributes: [].into(),
        };
        let observed = "192.0.2.1:1234".parse().unwrap();
        Intake {
            posture,
            token: self.token.clone(),
            observed,
            observed_by: "192.0.2.9:8443".parse().unwrap(),
        }
    }

    async fn level(&mut self, id: &str) -> Option<Level> {
        let endpoint = endpoints::get(&mut self.ledger.connection, id)
            .await
            .unwrap();
        endpoint.map(|endpoint| endpoint.decision.level)
    }

    async fn other_connection(&self) -> SqliteConnection {
        store::open(&self.dir).await.unwrap()
    }
}

async fn pragma(connection: &mut SqliteConnection, pragma: &'static str) {
    sqlx::raw_sql(pragma).execute(connection).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_recovers() {
    let mut desk = Desk::new().await;
    let good = desk.intake("laptop", true);
    let before = desk.ledger.report(&good).await.unwrap().revision;

    // SQLite says the same of this limit as of a full disk.
    pragma(&mut desk.ledger.connection, "PRAGMA max_page_count = 1").await;
    let mut refused = None;
    for i in 0..1000 {
        let intake = desk.intake(&format!("endpoint-{i}"), false);
        if let Err(error) = desk.ledger.report(&intake).await {
            refused = Some((intake, error));
            break;
        }
    }
    let (intake, error) = refused.expect("the database cannot grow");
    assert!(
        matches!(error, LedgerError::Store(StoreError::Full)),
        "{error}"
    );
    assert_eq!(
        desk.level(&intake.posture.device.id).await,
        None,
        "nothing of it is stored"
    );
    assert_eq!(desk.level("laptop").await, Some(Level::Safe));

    pragma(
        &mut desk.ledger.connection,
        "PRAGMA max_page_count = 100000",
    )
    .await;
    assert!(desk.ledger.report(&intake).await.unwrap().revision > before);
}

#[tokio::test]
async fn a_locked_database_is_said_and_recovers() {
    let mut desk = Desk::new().await;
    let mut other = desk.other_connection().await;
    pragma(&mut desk.ledger.connection, "PRAGMA busy_timeout = 1").await;
    pragma(&mut other, "BEGIN IMMEDIATE").await;
    let intake = desk.intake("laptop", true);
    let error = desk.ledger.report(&intake).await.unwrap_err();
    assert!(
        matches!(error, LedgerError::Store(StoreError::Locked)),
        "{error}"
    );

    pragma(&mut other, "ROLLBACK").await;
    desk.ledger.report(&intake).await.unwrap();
}

#[tokio::test]
async fn the_feed_gets_each_change_once_and_in_order() {
    let mut desk = Desk::new().await;
    let mut feed = desk.ledger.feed().follow();
    let mut revisions = Vec::new();
    for round in 0..4 {
        let intake = desk.intake("laptop", round % 2 == 0);
        revisions.push(desk.ledger.report(&intake).await.unwrap().revision);
    }
    desk.ledger.publish().await;
    desk.ledger.publish().await;
    for revision in revisions {
        assert_eq!(feed.try_recv().unwrap().revision, revision);
    }
    assert_eq!(feed.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test]
async fn gateways_are_told_anew_before_a_decision_runs_out() {
    let mut desk = Desk::new().await;
    let intake = desk.intake("laptop", true);
    let first = desk.ledger.report(&intake).await.unwrap().revision;
    assert_eq!(
        desk.ledger.report(&intake).await.unwrap().revision,
        first,
        "soon: no news"
    );

    // As if thirteen hours had passed since gateways were told.
    let earlier = "UPDATE endpoint SET announced_until = announced_until - 13 * 3600 * 1000000";
    pragma(&mut desk.ledger.connection, earlier).await;
    let renewed = desk.ledger.report(&intake).await.unwrap().revision;
    assert!(renewed > first);
    assert_eq!(desk.ledger.report(&intake).await.unwrap().revision, renewed);
}

#[tokio::test]
async fn the_change_log_stays_bounded() {
    let mut desk = Desk::new().await;
    desk.ledger.change_log = 10;
    for round in 0..100 {
        let intake = desk.intake("laptop", round % 2 == 0);
        desk.ledger.report(&intake).await.unwrap();
        desk.ledger.publish().await;
    }
    let kept = changes::after(&mut desk.ledger.connection, 0)
        .await
        .unwrap();
    assert!((10..=12).contains(&kept.len()), "{}", kept.len());
}

#[tokio::test]
async fn a_review_takes_all_in_batches() {
    let mut desk = Desk::new().await;
    let count = BATCH * 2 + 1;
    for i in 0..count {
        let intake = desk.intake(&format!("endpoint-{i}"), true);
        desk.ledger.report(&intake).await.unwrap();
    }
    let strict = "[[rule]]\nname='os'\nlevel='danger'\ntext='t'\n\
                  check.minimum_os = { version = '13' }";
    desk.ledger
        .adopt(strict.parse().unwrap(), "policy.toml")
        .await;
    while desk.ledger.review.is_some() {
        desk.ledger.review_batch().await.unwrap();
    }
    for i in 0..count {
        assert_eq!(
            desk.level(&format!("endpoint-{i}")).await,
            Some(Level::Danger)
        );
    }
}
