//! How the gateway is.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{alert::AlertView, event::EventView, request::Mode};
use crate::sources::Kind;

/// The gateway at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// Whether verdicts are carried out.
    pub mode: Mode,
    /// The version of the running program.
    pub version: String,
    /// For how long it has run.
    pub uptime_seconds: u64,
    /// The zones that it has hosts in.
    pub zones: Vec<String>,
    /// The interfaces that it judges packets on.
    pub interfaces: Vec<InterfaceView>,
    /// Every interface that forwards packets, and whether it is covered.
    #[serde(default)]
    pub passages: Vec<PassageView>,
    /// What decides of hosts.
    pub sources: Vec<SourceView>,
    /// How full the kernel tables are, by name (`hosts_v4`, `hosts_v6`, …).
    pub tables: BTreeMap<String, TableView>,
    /// How many hosts have each role.
    pub hosts_by_role: BTreeMap<String, u64>,
    /// Hosts whose answer is awaited.
    pub pending: u64,
    /// Events of the datapath that found the ring full.
    pub events_lost: u64,
    /// Rows of the kernel tables that had to be set right.
    pub drift_repaired: u64,
    /// The conditions by which hosts pass that would be stopped otherwise, by their names in `[fail]`.
    #[serde(default)]
    pub fails_open: Vec<String>,
    /// When the kernel tables were last compared with what was decided; `None` before the first time.
    #[serde(default)]
    pub compared_at: Option<Timestamp>,
    /// Who is told of what is tracked.
    #[serde(default)]
    pub alerts: Vec<AlertView>,
    /// The newest events, the oldest of them first.
    #[serde(default)]
    pub events: Vec<EventView>,
    /// Whether everything is attached and in step.
    pub ready: bool,
    /// What is missing, when it is not.
    pub not_ready_reasons: Vec<String>,
}

/// An interface and what is attached to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceView {
    /// Its name.
    pub name: String,
    /// The zone of the hosts behind it.
    pub zone: String,
    /// Where packets from hosts are judged.
    pub ingress: Ingress,
    /// Why there.
    #[serde(default)]
    pub reason: String,
    /// Where packets to hosts are judged.
    pub egress: Egress,
    /// Whether both programs are attached now.
    pub attached: bool,
}

/// An interface that forwards packets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassageView {
    /// Its name.
    pub interface: String,
    /// Whether it forwards IPv4.
    pub v4: bool,
    /// Whether it forwards IPv6.
    pub v6: bool,
    /// Whether nobody can go through it unjudged.
    pub covered: bool,
    /// How it stands to the gateway, in a word: `judged`, `uplink`, `part`, `above`, `below`, `uncovered`.
    pub cover: String,
    /// The same in a sentence.
    pub how: String,
    /// What to do about it, where it is not covered.
    pub remedy: Option<String>,
}

/// Where packets from hosts are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ingress {
    /// XDP in the driver.
    #[serde(rename = "xdp native")]
    XdpNative,
    /// XDP behind the driver.
    #[serde(rename = "xdp generic")]
    XdpGeneric,
    /// Traffic control.
    #[serde(rename = "tc")]
    Tc,
}

impl fmt::Display for Ingress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::XdpNative => "xdp native",
            Self::XdpGeneric => "xdp generic",
            Self::Tc => "tc",
        })
    }
}

/// Where packets to hosts are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Egress {
    /// A link of traffic control, from Linux 6.6 on.
    Tcx,
    /// A filter of the clsact queueing discipline.
    Clsact,
}

impl fmt::Display for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

/// Something that decides of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// Its name in the configuration.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
    /// Where it was heard last: a URL, or a path.
    #[serde(default)]
    pub at: Option<String>,
    /// How much it counts against others.
    #[serde(default)]
    pub priority: u8,
    /// Whether it can be heard now.
    pub connected: bool,
    /// The last revision that came from it.
    pub revision: u64,
    /// Of how many endpoints, or hosts, it decides.
    #[serde(default)]
    pub decisions: u64,
    /// How long its decisions still hold if it stays silent; `None` where there is no lease.
    pub lease_seconds_left: Option<u64>,
    /// How often it would have taken back too much at once, and was asked again.
    #[serde(default)]
    pub held_back: u64,
    /// What last went wrong, until it goes well again.
    pub last_error: Option<String>,
}

/// How full a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableView {
    /// Rows in use.
    pub used: u64,
    /// Rows that it has room for.
    pub capacity: u64,
}
