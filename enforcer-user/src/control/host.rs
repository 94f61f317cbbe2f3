//! Hosts as the operator sees them.

use std::net::IpAddr;

use enforcer_protocol::judgement::{Level, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::Granted;

/// The most hosts in one answer: a few dozen megabytes.
pub const MAX_HOSTS: u32 = 100_000;

/// Which hosts are asked for. What is absent excludes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFilter {
    /// Only hosts of this role.
    #[serde(default)]
    pub role: Option<String>,
    /// Only hosts of this zone.
    #[serde(default)]
    pub zone: Option<String>,
    /// Only hosts whose address, endpoint, owner or reasons contain this.
    #[serde(default)]
    pub text: Option<String>,
    /// How many at most; more than [`MAX_HOSTS`] count as that.
    pub limit: u32,
}

/// The hosts that a filter lets through, ordered by zone and address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostList {
    /// The first of them, up to the limit.
    pub hosts: Vec<HostView>,
    /// How many there are.
    pub total: u64,
}

/// Everything worth saying of a host in one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// The address.
    pub address: IpAddr,
    /// The zone in which the address is unique.
    pub zone: String,
    /// The role that it has now.
    pub role: String,
    /// What gave it that role.
    pub source: String,
    /// The endpoint's name.
    pub endpoint: Option<String>,
    /// Who uses it.
    pub owner: Option<String>,
    /// How well it complies.
    pub level: Option<Level>,
    /// The rules that it fails.
    pub reasons: Vec<Reason>,
    /// When it was judged.
    pub judged_at: Option<Timestamp>,
    /// Until when that holds.
    pub valid_until: Option<Timestamp>,
    /// The operator's exception, where there is one.
    pub exception: Option<ExceptionView>,
    /// How many endpoints the sources see at this address.
    pub shared_by: u32,
    /// Packets stopped.
    pub stopped_packets: u64,
    /// Why the last one was stopped, in the words of the metrics.
    pub last_stop_reason: Option<String>,
}

/// An operator's exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionView {
    /// The host's address.
    pub address: IpAddr,
    /// Its zone.
    pub zone: String,
    /// The role that it is given.
    pub role: Granted,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Why it was made.
    pub reason: String,
    /// Who made it: the name of a user of this machine, or the number.
    pub by: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// An exception that was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The exception that is no more.
    pub exception: ExceptionView,
    /// The role that the host has now.
    pub role: String,
}
