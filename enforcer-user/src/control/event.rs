//! What happened, as the operator is told.

use std::{fmt, net::IpAddr};

use clap::ValueEnum;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most events in one answer.
pub const MAX_EVENTS: u32 = 2048;

/// The longest time that the gateway waits for an event before it answers that there is none.
pub const MAX_WAIT_SECONDS: u32 = 5;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventQuery {
    /// Only events behind this; absent: the newest ones.
    pub after: Option<Mark>,
    /// How many at most; more than [`MAX_EVENTS`] count as that.
    pub limit: u32,
    /// How long to wait when there is none yet; more than [`MAX_WAIT_SECONDS`] count as that.
    pub wait_seconds: u32,
}

/// How far a reader has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Which run of the gateway: sequence numbers begin anew with each.
    pub run: u64,
    /// The last event that was read.
    pub sequence: u64,
}

/// Events, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventView>,
    /// Where the next page begins.
    pub mark: Mark,
    /// Events that came after the mark and were forgotten before they were read.
    pub lost: u64,
    /// Whether the gateway was started anew since the mark.
    pub restarted: bool,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Packets of a host were stopped, or would have been.
    Stop,
    /// Somebody sent in the name of a host.
    Spoof,
    /// A host has another role, or none.
    Decision,
    /// Something about an endpoint's addresses does not add up.
    Doubt,
    /// A source is heard again, or no longer.
    Source,
    /// The mode was switched.
    Mode,
    /// An operator made or ended an exception.
    Exception,
    /// An interface came, went, or moved.
    Interface,
    /// The kernel's tables were not as decided.
    Drift,
    /// The configuration was changed, or such a change refused.
    Configuration,
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "stop",
            Self::Spoof => "spoof",
            Self::Decision => "decision",
            Self::Doubt => "doubt",
            Self::Source => "source",
            Self::Mode => "mode",
            Self::Exception => "exception",
            Self::Interface => "interface",
            Self::Drift => "drift",
            Self::Configuration => "configuration",
        })
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Its number: each is one more than the one before.
    pub sequence: u64,
    /// When.
    pub time: Timestamp,
    /// What it is about.
    pub kind: EventKind,
    /// The host's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The host's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The host's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// For a stop: why, in the words of the metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For a stop: how many packets since the last event of this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
    /// For a stop: whether it was only counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitored: Option<bool>,
    /// What happened, in a sentence.
    pub message: String,
}
