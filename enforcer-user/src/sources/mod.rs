//! What decides: the management server, the operator, a list in a file.
//!
//! Sources know nothing of the kernel tables. They say what they learn through one bounded channel of
//! [`SourceEvent`]s; what follows from it is the controller's business.

pub mod audit;
mod backoff;
pub mod file;
mod follower;
pub mod management;
pub mod operator;
pub mod queries;
pub mod server;

use std::sync::Arc;

use enforcer_common::host::Host;
use enforcer_protocol::decision::Decision;

use management::StreamError;

/// How many events may wait for the controller. A source that is ahead of it waits, and so in the end
/// does the server: nothing is lost, and memory stays bounded.
pub const EVENTS: usize = 1024;

/// What a source has to say.
///
/// All but [`Answers`](Self::Answers), [`Connected`](Self::Connected) and [`Lost`](Self::Lost) prove that
/// the gateway holds everything that the source decided, and so renew its lease.
#[derive(Clone, Debug)]
pub enum SourceEvent {
    /// Everything that it decided: whole, and with the count that was announced.
    Snapshot {
        /// The revision of all of it.
        revision: u64,
        /// The decisions.
        decisions: Vec<Decision>,
    },
    /// It decided an endpoint anew.
    Change {
        /// The revision after it.
        revision: u64,
        /// The decision.
        decision: Box<Decision>,
    },
    /// It no longer decides of an endpoint.
    Withdraw {
        /// The revision after it.
        revision: u64,
        /// The endpoint.
        endpoint: String,
    },
    /// Nothing changed.
    Alive,
    /// The stream is open; what it says comes next.
    Connected,
    /// The stream broke, or cannot be opened. Said once for each reason, until it works again.
    Lost {
        /// What happened and what to do about it.
        why: Arc<StreamError>,
    },
    /// It was asked about hosts.
    Answers {
        /// The revision at which it answered.
        revision: u64,
        /// What it said of each.
        answers: Vec<Answer>,
    },
}

/// What the management server says of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The host that it was asked about.
    pub host: Host,
    /// Its decision; `None` when it knows nothing of that host.
    pub decision: Option<Decision>,
}
