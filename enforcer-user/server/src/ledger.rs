//! The ledger: the one task that writes. Each step judges, stores and numbers in one transaction,
//! and hands to the feed what has been committed.
//!
//! The operator's commands write to the same database from another process; a tick every second
//! finds what they changed.

mod entry;
mod handle;

use std::time::Duration;

use enforcer_protocol::judgement::Receipt;
use jiff::Timestamp;
use sqlx::{Connection, SqliteConnection};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use self::handle::Command;
pub use self::handle::{Intake, LedgerError, LedgerHandle};
use crate::{
    feed::Feed,
    policy::Policy,
    store::{StoreError, audit, changes, endpoints, tokens},
};

/// Reports that may wait for the writer: half a second of them at its full pace.
const QUEUE: usize = 1024;
/// How many endpoints one transaction judges anew; reports get their turn between two.
const BATCH: u32 = 100;
/// How often what others wrote and what has run out is looked for.
const TICK: Duration = Duration::from_secs(1);

/// Every write of a transaction starts with this, so that it never fails half-way for the lock.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// The one writer of a running server.
#[derive(Debug)]
pub struct Ledger {
    connection: SqliteConnection,
    policy: Policy,
    report_valid: Duration,
    change_log: u32,
    feed: Feed,
    /// The revision up to which the feed has everything.
    published: u64,
    /// Changes since the log was trimmed.
    untrimmed: u32,
    /// Where judging all anew has come to.
    review: Option<Review>,
}

/// Judging all endpoints anew.
#[derive(Debug, Default)]
struct Review {
    /// The endpoint judged last.
    after: String,
    judged: u64,
    /// A batch failed; the next tick tries it again.
    is_paused: bool,
}

impl Ledger {
    /// A ledger over this database. Everything stored is judged anew before it returns.
    pub async fn open(
        mut connection: SqliteConnection,
        policy: Policy,
        report_valid: Duration,
        change_log: u32,
    ) -> Result<Self, StoreError> {
        let published = changes::mark_start(&mut connection).await?;
        let feed = Feed::new();
        let mut ledger = Self {
            connection,
            policy,
            report_valid,
            change_log,
            feed,
            published,
            untrimmed: 0,
            review: Some(Review::default()),
        };
        while ledger.review.is_some() {
            ledger.review_batch().await?;
        }
        Ok(ledger)
    }

    /// Where its changes go.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Starts the writer. It ends when the last handle is dropped.
    pub fn spawn(self) -> (LedgerHandle, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (LedgerHandle::new(sender), tokio::spawn(self.run(receiver)))
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_reviewing = self.review.as_ref().is_some_and(|review| !review.is_paused);
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break,
                },
                _ = tick.tick() => self.tick().await,
                () = std::future::ready(()), if is_reviewing => self.review().await,
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "closing the state database failed; its log is read at the next start");
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Report(intake, reply) => self.answer(&intake, reply).await,
            Command::Touch(token) => {
                if let Err(error) = tokens::touch(&mut self.connection, token).await {
                    tracing::debug!(%error, token, "cannot note that a token was used");
                }
            }
            Command::Adopt(policy, file) => self.adopt(policy, &file).await,
        }
    }

    async fn answer(
        &mut self,
        intake: &Intake,
        reply: oneshot::Sender<Result<Receipt, LedgerError>>,
    ) {
        let result = self.report(intake).await;
        // Gateways first: the one who waits for the reply can wait a moment longer.
        if result.is_ok() {
            self.publish().await;
        }
        // An error means that the one who asked has gone; the report counts all the same.
        let _ = reply.send(result);
    }

    async fn report(&mut self, intake: &Intake) -> Result<Receipt, LedgerError> {
        let mut transaction = self
            .connection
            .begin_with(BEGIN)
            .await
            .map_err(StoreError::from)?;
        let receipt =
            entry::report(&mut transaction, &self.policy, self.report_valid, intake).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(receipt)
    }

    async fn adopt(&mut self, policy: Policy, file: &str) {
        let detail = format!("{} rules", policy.rules.len());
        let recorded = audit::record(
            &mut self.connection,
            audit::Action::PolicyReload,
            file,
            &detail,
        )
        .await;
        if let Err(error) = recorded {
            tracing::error!(%error, "the policy stays as it was: the change cannot be recorded");
            return;
        }
        self.policy = policy;
        self.review = Some(Review::default());
    }

    async fn tick(&mut self) {
        self.publish().await;
        if let Err(error) = self.run_out().await {
            tracing::error!(%error, "cannot withdraw reports that have run out; trying again");
        }
        if let Some(review) = &mut self.review {
            review.is_paused = false;
        }
    }

    async fn review(&mut self) {
        let Err(error) = self.review_batch().await else {
            return;
        };
        tracing::error!(%error, "cannot judge all endpoints anew; trying again");
        if let Some(review) = &mut self.review {
            review.is_paused = true;
        }
    }

    /// Judges the next batch of endpoints anew.
    async fn review_batch(&mut self) -> Result<(), StoreError> {
        let Some(review) = &mut self.review else {
            return Ok(());
        };
        let mut transaction = self.connection.begin_with(BEGIN).await?;
        let batch = endpoints::reported_after(&mut transaction, &review.after, BATCH).await?;
        for reported in &batch {
            entry::review(&mut transaction, &self.policy, reported).await?;
        }
        transaction.commit().await?;
        review.judged += batch.len() as u64;
        match batch.last() {
            Some(last) => review.after.clone_from(&last.endpoint.decision.endpoint),
            None => {
                tracing::info!(
                    endpoints = review.judged,
                    "all endpoints are judged by the policy"
                );
                self.review = None;
            }
        }
        self.publish().await;
        Ok(())
    }

    /// Judges anew the endpoints whose reports have run out.
    async fn run_out(&mut self) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin_with(BEGIN).await?;
        let silent = endpoints::run_out(&mut transaction, Timestamp::now(), BATCH).await?;
        for endpoint in &silent {
            entry::silence(&mut transaction, &self.policy, endpoint).await?;
        }
        transaction.commit().await?;
        self.publish().await;
        Ok(())
    }

    /// Hands to the feed what was committed since the last time, by whomever. What fails here is
    /// stored, and the next tick finds it.
    async fn publish(&mut self) {
        let changes = match changes::after(&mut self.connection, self.published).await {
            Ok(changes) => changes,
            Err(error) => {
                tracing::error!(%error, "cannot read what changed; gateways hear of it later");
                return;
            }
        };
        for change in changes {
            self.published = change.revision;
            self.untrimmed += 1;
            self.feed.publish(change);
        }
        self.trim().await;
    }

    /// Keeps the change log at its size, give or take an eighth.
    async fn trim(&mut self) {
        if self.untrimmed <= self.change_log / 8 {
            return;
        }
        match changes::trim(&mut self.connection, self.change_log).await {
            Ok(()) => self.untrimmed = 0,
            Err(error) => tracing::warn!(%error, "cannot trim the change log; it grows"),
        }
    }
}

#[cfg(test)]
mod tests;
