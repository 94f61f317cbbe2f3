//! How each target is, for operators and metrics.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::failure::Failure;
use crate::{
    config::AlertKind,
    control::alert::{AlertFailure, AlertTotals, AlertView, KindTotals},
};

/// Where that is written down. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Board(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
struct Written {
    targets: BTreeMap<String, AlertView>,
    /// Also of targets that are no more.
    kinds: BTreeMap<AlertKind, Tally>,
    missed: u64,
}

/// What is counted of a kind.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    sent: u64,
    failed: u64,
    given_up: u64,
    summarised: u64,
}

impl Board {
    /// The place of a target.
    pub(super) fn seat(&self, name: &str, kind: AlertKind) -> Seat {
        let seat = Seat {
            board: self.clone(),
            name: name.to_owned(),
        };
        let mut written = self.written();
        let view = written.targets.entry(seat.name.clone());
        view.and_modify(|view| view.kind = kind)
            .or_insert(AlertView {
                name: seat.name.clone(),
                kind,
                sent: 0,
                waiting: 0,
                failed: 0,
                given_up: 0,
                last_sent: None,
                last_failure: None,
            });
        drop(written);
        seat
    }

    /// A target is no more.
    pub(super) fn leave(&self, name: &str) {
        self.written().targets.remove(name);
    }

    pub(super) fn missed(&self, count: u64) {
        let mut written = self.written();
        written.missed = written.missed.saturating_add(count);
    }

    pub(super) fn views(&self) -> Vec<AlertView> {
        self.written().targets.values().cloned().collect()
    }

    pub(super) fn totals(&self) -> AlertTotals {
        let written = self.written();
        let kinds = AlertKind::ALL.map(|(kind, _)| {
            let tally = written.kinds.get(&kind).copied().unwrap_or_default();
            let targets = written.targets.values();
            let waiting = targets.filter(|view| view.kind == kind);
            KindTotals {
                sent: tally.sent,
                failed: tally.failed,
                waiting: waiting.map(|view| view.waiting).sum(),
                given_up: tally.given_up,
                summarised: tally.summarised,
            }
        });
        AlertTotals {
            kinds,
            missed: written.missed,
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one target on the board.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    board: Board,
    name: String,
}

impl Seat {
    /// One arrived.
    pub(super) fn sent(&self) {
        self.write(|view, tally| {
            view.sent += 1;
            view.last_sent = Some(Timestamp::now());
            tally.sent += 1;
        });
    }

    /// An attempt failed.
    pub(super) fn failed(&self, failure: &Failure) {
        let message = failure.to_string();
        tracing::warn!(target: "alerts", alert = self.name, "{message}");
        self.write(|view, tally| {
            view.failed += 1;
            view.last_failure = Some(AlertFailure {
                time: Timestamp::now(),
                message,
            });
            tally.failed += 1;
        });
    }

    /// So many are told to nobody.
    pub(super) fn gave_up(&self, count: u64, why: &str) {
        if count == 0 {
            return;
        }
        tracing::error!(target: "alerts", alert = self.name, count, "alerts are given up: {why}");
        self.write(|view, tally| {
            view.given_up += count;
            tally.given_up += count;
        });
    }

    /// So many are in a summary alone.
    pub(super) fn summarised(&self, count: u64) {
        self.write(|_, tally| tally.summarised += count);
    }

    /// So many wait.
    pub(super) fn waiting(&self, count: usize) {
        self.write(|view, _| view.waiting = count as u64);
    }

    fn write(&self, change: impl FnOnce(&mut AlertView, &mut Tally)) {
        let written = &mut *self.board.written();
        if let Some(view) = written.targets.get_mut(&self.name) {
            let tally = written.kinds.entry(view.kind).or_default();
            change(view, tally);
        }
    }
}
