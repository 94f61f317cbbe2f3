//! Endpoints: devices as a source knows them, and the hosts that they are here.

use std::{borrow::Borrow, fmt, sync::Arc};

use enforcer_common::host::Host;

use super::mac::Mac;

/// The identifier by which a source knows an endpoint. Cheap to copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(Arc<str>);

impl EndpointId {
    /// The identifier as the source writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for EndpointId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

/// Looked up without making one.
impl Borrow<str> for EndpointId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A host that an endpoint is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The host.
    pub host: Host,
    /// The MAC address that it must send from, when it was seen at this address.
    pub mac: Option<Mac>,
}
