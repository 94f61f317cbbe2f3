//! Addresses that are translated between hosts and the management server.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::value::PortRange;

/// `[nat]`: addresses that are translated between hosts and the management server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nat {
    /// What counts where several endpoints share an address.
    pub shared_addresses: SharedAddresses,
    /// Fixed rules.
    #[serde(rename = "static")]
    pub statics: Vec<StaticMapping>,
}

/// What counts where several endpoints share an address, as behind a router that translates theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SharedAddresses {
    /// The strictest of their roles.
    #[default]
    Strictest,
    /// Nobody passes.
    Deny,
    /// The role of the endpoint that had it first.
    First,
}

/// `[[nat.static]]`: a block of ports of an outside address that always is one host's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticMapping {
    /// The address that the management server sees.
    pub outside: IpAddr,
    /// The ports that it sees; absent: all.
    #[serde(default = "all_ports")]
    pub ports: PortRange,
    /// The address that the host has here.
    pub host: IpAddr,
    /// The zone of the host.
    pub zone: String,
}

const fn all_ports() -> PortRange {
    PortRange {
        first: 1,
        last: u16::MAX,
    }
}
