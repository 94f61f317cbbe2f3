//! Telling of what is tracked: hosts that come under a role, and their first stop there.
//!
//! The controller hands over what happened and goes on: its queue is bounded, and what does not fit is counted. One task
//! (`hub`) writes the log, picks who is to be told, and holds back what is more than so many a minute, for one summary. Each
//! target has a task of its own: mail and webhooks wait in a spool on the disk until they are taken (`keep`), commands run a
//! few at a time (`run`).

mod alert;
mod board;
mod command;
mod failure;
mod hub;
mod keep;
mod mail;
mod missed;
mod outlet;
mod pace;
mod run;
mod secret;
mod signature;
mod spool;
mod target;
mod tried;
mod trust;
mod webhook;

use std::time::Duration;

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::config::Config;
use board::Board;
use hub::{Ears, Hub};
use missed::Missed;
use target::Targets;

pub use alert::{Alert, Event, Subject};
pub use outlet::{Alerts, Ordered, Tracked};

/// What may wait to be told: two megabytes at most.
pub const QUEUE: usize = 4096;

/// How many orders may wait.
const ORDERS: usize = 8;

/// How long it may take to write down what has not been told when the gateway ends.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The name of the directory, below that of the state, in which alerts wait.
pub const SPOOLS: &str = "alerts";

/// The task that tells.
pub struct Telling(JoinHandle<()>);

/// Starts to tell as the configuration says. Ends when what is handed out is dropped.
pub fn start(config: &Config) -> (Alerts, Telling) {
    let (facts, to_tell) = mpsc::channel(QUEUE);
    let (orders, ordered) = mpsc::channel(ORDERS);
    let (targets, named) = watch::channel(Targets::of(config));
    let (board, missed) = (Board::default(), Missed::default());
    let ears = Ears {
        facts: to_tell,
        orders: ordered,
        targets: named,
        missed: missed.clone(),
    };
    let hub = Hub::new(config.state_dir.join(SPOOLS), board.clone());
    let telling = tokio::spawn(hub.run(ears));
    let alerts = Alerts::new(facts, orders, targets, missed, board);
    (alerts, Telling(telling))
}

impl Telling {
    /// Waits until everything is written down; nobody hands over anything any more.
    pub async fn finish(self) {
        if timeout(LAST_WORDS, self.0).await.is_err() {
            tracing::error!("alerts could not be written down before the end, and are lost");
        }
    }
}
