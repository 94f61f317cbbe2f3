//! Judgement: policy applied to a posture.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// How well an endpoint complies, best first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to mend.
    Safe,
    /// Something to mend, without haste.
    Caution,
    /// Something to mend soon.
    Warning,
    /// A danger to others.
    Danger,
    /// Data are lacking.
    #[default]
    Unknown,
}

/// One rule that an endpoint fails, with what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// The rule's name in the policy.
    pub rule: String,
    /// What is wrong, for the person in front of the device.
    pub text: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Where help is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Policy applied to a posture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The worst level that any rule gives.
    pub level: Level,
    /// The role that the policy gives to this level.
    pub role: String,
    /// The rules that fail.
    pub reasons: Vec<Reason>,
}

/// What the server answers to a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The endpoint's identifier.
    pub endpoint: String,
    /// Where the report came from, as the server saw it.
    pub observed: SocketAddr,
    /// What follows from it.
    pub judgement: Judgement,
    /// The revision at which gateways learn of it.
    pub revision: u64,
}
