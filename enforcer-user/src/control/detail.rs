//! Everything that is known of one host.

use enforcer_protocol::judgement::Level;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::host::HostView;

/// Everything that is known of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostDetail {
    /// What a list says of it.
    pub host: HostView,
    /// Whether its address is checked at all: `checked`, `bypassed`, `outside` or `own`.
    pub scope: String,
    /// Who the sources see at this address; with more than one the strictest counts.
    pub endpoints: Vec<EndpointView>,
    /// Where it was seen.
    pub seen: Option<SeenView>,
    /// When the datapath asked about it, while nothing was decided.
    pub asked: Option<AskedView>,
    /// Its row in the kernel's table.
    pub kernel: Option<KernelView>,
    /// What was stopped of it.
    pub stopped: Option<StoppedView>,
    /// What was decided of it since the gateway started, the newest first; old entries are forgotten.
    pub history: Vec<Turn>,
}

/// An endpoint that a source sees at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointView {
    /// Its identifier.
    pub endpoint: String,
    /// Its name.
    pub name: String,
    /// Who uses it.
    pub owner: Option<String>,
    /// The source that decided of it.
    pub source: String,
    /// The role that it is given.
    pub role: String,
    /// How well it complies.
    pub level: Level,
    /// Until when that holds.
    pub valid_until: Option<Timestamp>,
    /// The MAC address that it is bound to here.
    pub mac: Option<String>,
}

/// Where a host was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenView {
    /// The MAC address.
    pub mac: String,
    /// The interface, where it is known.
    pub interface: Option<String>,
    /// How the gateway knows: `answered` when it asked, was `told`, or saw it `sent` from there.
    pub how: String,
}

/// When the datapath asked about a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedView {
    /// When its first packet came.
    pub since: Timestamp,
    /// When it was last asked about.
    pub last: Timestamp,
}

/// A row of the kernel's table of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelView {
    /// The role.
    pub role: String,
    /// Whose decision it is.
    pub source: String,
    /// The role that counts when that source's lease is over, if it is.
    pub lease_over: Option<String>,
    /// The MAC address that packets must come from.
    pub mac: Option<String>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Whether open connections are being ended.
    pub closing: bool,
    /// Whether the row is as the gateway wants it.
    pub in_step: bool,
}

/// What was stopped of a host, or would have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedView {
    /// Packets.
    pub packets: u64,
    /// Bytes of them, with link headers.
    pub bytes: u64,
    /// Why the last one was, in the words of the metrics.
    pub reason: String,
    /// The role at the last one.
    pub role: String,
    /// When the first one came.
    pub first: Timestamp,
    /// When the last one came.
    pub last: Timestamp,
    /// Whether the last one was only counted.
    pub monitored: bool,
}

/// A change of what is decided of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When.
    pub time: Timestamp,
    /// The role before; `None` when nothing was decided.
    pub before: Option<String>,
    /// The role since; `None` when nothing is decided.
    pub after: Option<String>,
    /// Who decided.
    pub source: Option<String>,
    /// Why.
    pub cause: String,
}
