//! What decides: management servers, the operator, lists in files.
//!
//! Sources know nothing of the kernel tables. They say what they learn through an [`Outlet`] each, which all lead
//! into one bounded channel; what follows from it is the controller's business.
//!
//! A new source is a type that implements [`Source`], in a file of its own, with a [`Profile`] and a line in
//! `gateway::sources` that starts it.

mod backoff;
pub mod clock;
pub mod file;
mod follower;
pub mod management;
pub mod operator;
mod outlet;
mod profile;
pub mod queries;
pub mod server;
mod stream;

use enforcer_common::host::{Host, SourceId};
use enforcer_protocol::decision::Decision;

pub(crate) use backoff::Backoff;
pub use outlet::{Outlet, Said};
pub use profile::{Kind, Profile};

/// How many events may wait for the controller. A source that is ahead of it waits, and so in the end
/// does the server: nothing is lost, and memory stays bounded.
pub const EVENTS: usize = 1024;

/// Something that decides.
pub trait Source {
    /// Says what it decides until nobody listens any more. Dropping the future ends it too.
    fn run(self, outlet: Outlet) -> impl Future<Output = ()> + Send;
}

/// What a source has to say.
///
/// All but [`Part`](Self::Part), [`Answers`](Self::Answers), [`Connected`](Self::Connected), [`Lost`](Self::Lost) and
/// [`Refused`](Self::Refused) prove that the gateway holds everything that the source decided, and so renew its
/// lease.
#[derive(Clone, Debug)]
pub enum SourceEvent {
    /// A part of everything that it decided. Nothing of it counts before the end has come: a [`Snapshot`](Self::Snapshot).
    Part {
        /// It is the first: parts that came before it are of a snapshot that has no end.
        is_first: bool,
        /// The decisions.
        decisions: Vec<Decision>,
    },
    /// Everything that it decided: whole, and with the count that was announced.
    Snapshot {
        /// Which of its servers says so. Revisions of different servers cannot be compared.
        server: usize,
        /// The revision of all of it.
        revision: u64,
        /// How many parts came before.
        parts: usize,
        /// The decisions behind those.
        decisions: Vec<Decision>,
    },
    /// Everything that it decided, by host.
    List {
        /// The revision of all of it.
        revision: u64,
        /// The hosts.
        hosts: Vec<file::Listed>,
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
    /// It can be heard; what it says comes next.
    Connected {
        /// Where: a URL, or a path.
        at: String,
    },
    /// It cannot be heard any more, or not yet. Said once for each reason, until it works again.
    Lost {
        /// What happened and what to do about it.
        why: String,
    },
    /// What it says cannot be used; what it said before holds.
    Refused {
        /// What is wrong with it, where, and what to do about it.
        why: String,
    },
    /// It was asked about hosts.
    Answers {
        /// Which of its servers says so.
        server: usize,
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

/// The number of the file with this place in the configuration.
pub(crate) fn file_id(place: usize) -> SourceId {
    // The configuration check bounds how many there are.
    let place = u8::try_from(place).unwrap_or(u8::MAX);
    SourceId(SourceId::FIRST_NAMED.0.saturating_add(place))
}
