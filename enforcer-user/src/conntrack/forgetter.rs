//! From the controller to the table: hosts are handed over, and nobody waits.

use std::{collections::HashSet, io, net::IpAddr};

use enforcer_common::host::Host;
use prometheus::IntCounter;
use tokio::sync::mpsc;

use super::{
    entry::Whose,
    table::{self, Forgotten},
};
use crate::netlink::AnswerError;

/// Hosts whose connections are to be forgotten. The controller holds it.
#[derive(Debug)]
pub struct Forgetter {
    /// Not handed over yet: the batch before is still being worked on.
    due: HashSet<Host>,
    batches: mpsc::Sender<Batch>,
}

/// Hosts whose connections are forgotten in one pass.
#[derive(Debug)]
pub struct Batch(HashSet<Host>);

impl Forgetter {
    /// One with the end where its batches arrive. There is room for one batch: what comes meanwhile becomes the
    /// next one, however many hosts that are.
    pub fn new() -> (Self, mpsc::Receiver<Batch>) {
        let (batches, arriving) = mpsc::channel(1);
        let due = HashSet::new();
        (Self { due, batches }, arriving)
    }

    /// Has the connections of this host forgotten.
    pub fn forget(&mut self, host: Host) {
        self.due.insert(host);
    }

    /// Leaves the connections of this host, unless it is too late.
    pub fn spare(&mut self, host: &Host) {
        self.due.remove(host);
    }

    /// Hands over what is due, when it can be taken now.
    pub fn hand_over(&mut self) {
        if self.due.is_empty() {
            return;
        }
        // Where nobody takes any more, the gateway is about to end.
        if let Ok(room) = self.batches.try_reserve() {
            room.send(Batch(std::mem::take(&mut self.due)));
        }
    }
}

/// Takes batches and has their connections forgotten, until no more can come. `own` says which addresses this
/// machine has; `count` counts entries.
pub async fn run(
    mut batches: mpsc::Receiver<Batch>,
    own: fn() -> io::Result<Vec<IpAddr>>,
    count: IntCounter,
) {
    let mut has_failed = false;
    while let Some(Batch(batch)) = batches.recv().await {
        let hosts = batch.iter().map(|host| host.address.into()).collect();
        let forget = move || {
            let own = own().map_err(AnswerError::from)?.into_iter().collect();
            table::forget(&Whose { hosts, own })
        };
        let Ok(done) = tokio::task::spawn_blocking(forget).await else {
            // Only when the runtime ends.
            return;
        };
        match done {
            Ok(Forgotten { entries, garbled }) => {
                has_failed = false;
                count.inc_by(entries);
                tracing::info!(
                    hosts = batch.len(),
                    entries,
                    garbled,
                    "connections forgotten"
                );
            }
            Err(error) if has_failed => tracing::debug!("{error}"),
            Err(error) => {
                has_failed = true;
                tracing::warn!("connections of hosts that were cut are not forgotten: {error}");
            }
        }
    }
}
