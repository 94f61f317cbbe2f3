//! What is doubtful about an endpoint's addresses.

use std::net::SocketAddr;

use enforcer_common::host::Host;

use super::{EndpointId, MAX_CLAIMS, Mac, MacError};

/// Something about an endpoint's addresses that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It is in a zone that this gateway does not have.
    #[error(
        "endpoint {endpoint} is in zone `{zone}`, which this gateway does not have: nothing is decided by \
         it here; add the zone to an interface, or give the endpoint a token of another zone"
    )]
    UnknownZone {
        /// The endpoint.
        endpoint: EndpointId,
        /// The zone.
        zone: String,
    },
    /// It claims an address with something that is no MAC address.
    #[error(
        "endpoint {endpoint} claims {}, but {source}; the claim is ignored",
        host.address
    )]
    NoMac {
        /// The endpoint.
        endpoint: EndpointId,
        /// The host that it claims to be.
        host: Host,
        /// What is wrong.
        source: MacError,
    },
    /// It claims an address at which another MAC address is seen.
    #[error(
        "endpoint {endpoint} claims {} with the MAC address {claimed}, but {seen} is seen there; the claim \
         changes nothing",
        host.address
    )]
    OtherMac {
        /// The endpoint.
        endpoint: EndpointId,
        /// The host that it claims to be.
        host: Host,
        /// The MAC address that it claims to have there.
        claimed: Mac,
        /// The MAC address that is seen there.
        seen: Mac,
    },
    /// It claims more addresses than are looked at.
    #[error(
        "endpoint {endpoint} claims {count} addresses; only the first {MAX_CLAIMS} are looked at"
    )]
    TooManyClaims {
        /// The endpoint.
        endpoint: EndpointId,
        /// How many it claims.
        count: usize,
    },
    /// It is in another zone than its token says.
    #[error(
        "endpoint {endpoint} has a token of the zone `{zone}`, but it reports from {}, which is in the zone `{found}`: nothing is \
         decided by that address; give it a token of the zone in which it is",
        host.address
    )]
    OtherZone {
        /// The endpoint.
        endpoint: EndpointId,
        /// The zone of its token.
        zone: String,
        /// The host that it would be in that zone.
        host: Host,
        /// The zone in which it is.
        found: String,
    },
    /// It was seen under an address of this machine, and whose connection that was is not known.
    #[error(
        "endpoint {endpoint} was seen at {from}, to which this machine translates addresses, and whose connection \
         that was is not known (any more): nothing is decided by it until the endpoint reports again"
    )]
    Untraced {
        /// The endpoint.
        endpoint: EndpointId,
        /// Where the server saw it.
        from: SocketAddr,
    },
}

impl Doubt {
    /// Every kind, as the metrics name it.
    pub const KINDS: [&str; 6] = [
        "unknown_zone",
        "no_mac",
        "other_mac",
        "too_many_claims",
        "other_zone",
        "untraced",
    ];

    /// Its kind, as the metrics name it.
    pub const fn kind(&self) -> &'static str {
        let at = match self {
            Self::UnknownZone { .. } => 0,
            Self::NoMac { .. } => 1,
            Self::OtherMac { .. } => 2,
            Self::TooManyClaims { .. } => 3,
            Self::OtherZone { .. } => 4,
            Self::Untraced { .. } => 5,
        };
        Self::KINDS[at]
    }
}
