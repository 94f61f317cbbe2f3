//! What the HTTP child needs to know.

use std::net::IpAddr;

use enforcer_protocol::judgement::{Level, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the person at a host is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalView {
    /// The host's address.
    pub address: IpAddr,
    /// Whether it reaches the network.
    pub access: Access,
    /// Its role.
    pub role: String,
    /// The endpoint's name.
    pub endpoint: Option<String>,
    /// How well it complies.
    pub level: Option<Level>,
    /// The rules that it fails.
    pub reasons: Vec<Reason>,
    /// When it was last judged.
    pub checked_at: Option<Timestamp>,
    /// Since when it has this role.
    pub since: Option<Timestamp>,
}

/// Whether a host reaches the network, as far as its user is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It does (also when monitor mode alone lets it).
    Open,
    /// Its role stops it.
    Stopped,
    /// It was asked about, and the answer is awaited.
    Asked,
    /// No source knows it.
    Unknown,
    /// It was decided, but the source has been silent for longer than its lease.
    Lapsed,
}

/// Whether the gateway does its work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// Whether everything is attached and in step.
    pub ready: bool,
    /// What is missing, when it is not.
    pub missing: Vec<String>,
}
