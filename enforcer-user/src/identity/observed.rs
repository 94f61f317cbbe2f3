//! Where an endpoint is, by the connection that the server saw it by.

use std::net::SocketAddr;

use enforcer_common::host::{Address, Host};
use enforcer_protocol::decision::Decision;
use jiff::Timestamp;

/// What the gateway makes of where the server saw an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// It has the address at which it was seen.
    Itself(Address),
    /// Its address was translated on the way.
    Behind {
        /// The address that it has here.
        address: Address,
        /// The zone in which that is, when something else than the endpoint's token says so.
        zone: Option<u32>,
    },
    /// A fixed rule says that it is this host.
    Fixed(Host),
    /// Its address was translated here, and from which one is not known.
    Untraced,
}

/// The connection that a report came by, as the server told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where it came from.
    pub from: SocketAddr,
    /// The server's own end.
    pub to: Option<SocketAddr>,
    /// When it came.
    pub at: Option<Timestamp>,
}

impl Report {
    /// That of this decision.
    pub fn of(decision: &Decision) -> Option<Self> {
        Some(Self {
            from: canonical(decision.observed?),
            to: decision.observed_by.map(canonical),
            at: decision.observed_at,
        })
    }
}

/// A decision, and where its endpoint was found.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The decision.
    pub decision: &'a Decision,
    /// Where its endpoint is.
    pub observed: Option<Observed>,
}

/// A decision about an endpoint whose address nothing translates.
impl<'a> From<&'a Decision> for Placed<'a> {
    fn from(decision: &'a Decision) -> Self {
        let observed = decision
            .observed
            .map(|from| Observed::Itself(from.ip().into()));
        Self { decision, observed }
    }
}

fn canonical(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}
