//! Who is told of what is tracked, and how that goes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::AlertKind;

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// Its name in the configuration.
    pub name: String,
    /// How it is told.
    pub kind: AlertKind,
    /// Alerts that arrived, since the gateway started.
    pub sent: u64,
    /// Alerts that wait to be sent.
    pub waiting: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Alerts that nobody will get.
    pub given_up: u64,
    /// When one arrived last.
    pub last_sent: Option<Timestamp>,
    /// What went wrong last.
    pub last_failure: Option<AlertFailure>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFailure {
    /// When.
    pub time: Timestamp,
    /// What, and what to do about it.
    pub message: String,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertTested {
    /// The name of the one that was to be told.
    pub name: String,
    /// How it is told.
    pub kind: AlertKind,
    /// How long it took.
    pub milliseconds: u64,
    /// What went wrong; absent: it arrived.
    pub failure: Option<String>,
}

/// The figures of one kind since the gateway started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindTotals {
    /// Alerts that arrived.
    pub sent: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Alerts that wait.
    pub waiting: u64,
    /// Alerts that nobody will get.
    pub given_up: u64,
    /// What was told in summaries alone.
    pub summarised: u64,
}

/// The figures of all since the gateway started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertTotals {
    /// By kind, in the order of [`AlertKind::ALL`].
    pub kinds: [KindTotals; AlertKind::ALL.len()],
    /// What was tracked and found the queue full.
    pub missed: u64,
}
