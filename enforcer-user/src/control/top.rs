//! Who is stopped most.

use std::net::IpAddr;

use clap::ValueEnum;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most rows in one answer.
pub const MAX_TOP: u32 = 1000;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopQuery {
    /// How many hosts; more than [`MAX_TOP`] count as that.
    pub limit: u32,
    /// What counts.
    #[serde(default)]
    pub by: TopBy,
}

/// What the order of hosts goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TopBy {
    /// Packets a second, now.
    #[default]
    Rate,
    /// Packets, ever.
    Packets,
    /// Bytes, ever.
    Bytes,
    /// When the last one came.
    Last,
}

/// Hosts that are stopped, those that are stopped most first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopView {
    /// The hosts.
    pub hosts: Vec<TopHost>,
    /// How many are remembered as stopped; the datapath forgets those that were stopped longest ago.
    pub stopped: u64,
    /// Packets a second, of all of them.
    pub packets_per_second: u64,
    /// Over how long rates were measured; 0 when this is the first look, so that there are none.
    pub over_milliseconds: u64,
}

/// A host that is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopHost {
    /// The address.
    pub address: IpAddr,
    /// The zone.
    pub zone: String,
    /// Its role at the last stop.
    pub role: String,
    /// Why the last packet was stopped, in the words of the metrics.
    pub reason: String,
    /// Packets a second.
    pub packets_per_second: u64,
    /// Bytes a second.
    pub bytes_per_second: u64,
    /// Packets, ever.
    pub packets: u64,
    /// Bytes, ever.
    pub bytes: u64,
    /// When the last packet came.
    pub last: Timestamp,
    /// Whether packets were only counted.
    pub monitored: bool,
}
