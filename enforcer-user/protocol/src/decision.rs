//! Decisions: what the management server tells its gateways.
//!
//! A gateway opens [`path::STREAM`](crate::path::STREAM) with the revision that it holds
//! (`?after=REVISION`, absent on the first call) and reads one JSON [`Message`] a line. The server
//! begins with a snapshot (or, when it still remembers everything since that revision, with the
//! changes alone) and goes on with changes as they happen, and heartbeats when nothing does.
//! Revisions only grow.

mod line;

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::judgement::{Level, Reason};

/// What the server decided of one endpoint. Withdrawn decisions name the endpoint only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The endpoint's identifier.
    pub endpoint: String,
    /// Its name, for people.
    #[serde(default)]
    pub name: String,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The zone in which its addresses are unique.
    pub zone: String,
    /// Where its last report came from, as the server saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<SocketAddr>,
    /// The server's own end of the connection that the report came by. With the other end it names the
    /// connection, so that a gateway which translated its addresses finds out whose it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_by: Option<SocketAddr>,
    /// When that was: a port may be another connection's soon after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// Addresses that it claims with the MAC address of their interface.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// The role that it is to have.
    pub role: String,
    /// How well it complies.
    pub level: Level,
    /// The rules that it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// When it was judged.
    pub judged_at: Timestamp,
    /// After this time the decision no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// An address that an endpoint says it has. It counts only where the gateway sees that MAC address
/// at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The address.
    pub address: IpAddr,
    /// The MAC address, `aa:bb:cc:dd:ee:ff`.
    pub mac: String,
}

/// One line of the decision stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "line::Line")]
pub enum Message {
    /// A snapshot begins: `count` decisions follow, then [`Message::SnapshotEnd`]. Nothing of it
    /// counts before its end has come and the count is right.
    Snapshot {
        /// The revision that the whole snapshot has.
        revision: u64,
        /// How many decisions follow.
        count: u64,
    },
    /// One decision of the snapshot.
    Row {
        /// The decision.
        decision: Decision,
    },
    /// The snapshot is complete.
    SnapshotEnd {
        /// The same revision as at its beginning.
        revision: u64,
    },
    /// An endpoint was decided anew.
    Change {
        /// The revision after it.
        revision: u64,
        /// The decision.
        decision: Decision,
    },
    /// An endpoint is no longer decided.
    Withdraw {
        /// The revision after it.
        revision: u64,
        /// The endpoint.
        endpoint: String,
    },
    /// Nothing changed; the lease is renewed.
    Heartbeat {
        /// The current revision.
        revision: u64,
    },
}

/// A gateway asks about addresses that nothing is decided for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The hosts, at most [`MAX_QUERY`].
    pub hosts: Vec<Subject>,
}

/// The most hosts in one query.
pub const MAX_QUERY: usize = 256;

/// A host as a gateway sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The zone.
    pub zone: String,
    /// The address.
    pub address: IpAddr,
    /// The MAC address that the gateway saw, `aa:bb:cc:dd:ee:ff`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

/// The answers to a [`Query`], in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// The revision at which they were made.
    pub revision: u64,
    /// For each host the decision, `None` when the server knows nothing of it.
    pub decisions: Vec<Option<Decision>>,
}
