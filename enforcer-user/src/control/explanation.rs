//! What would happen to a packet of a host, step by step.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The way from a host to its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The host's address.
    pub address: IpAddr,
    /// Its zone.
    pub zone: String,
    /// What was looked at, in the order of the datapath.
    pub steps: Vec<Step>,
    /// What happens to the packet: `pass`, `drop`, `reject` or `redirect`.
    pub verdict: String,
    /// Why, in the words of the metrics.
    pub reason: String,
    /// The role that it was judged by.
    pub role: String,
    /// Whether the verdict is only counted.
    pub monitored: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was looked at: `hosts table`, `lease`, `scope`, `role`, `rules`, `mode`.
    pub step: String,
    /// What stood there.
    pub found: String,
    /// What follows from it.
    pub meaning: String,
}
