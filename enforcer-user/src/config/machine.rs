//! What a configuration is compared with: interfaces of this machine, and who works on it.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use nix::{errno::Errno, ifaddrs, sys::socket::SockaddrStorage};

pub use super::sessions::Session;
use super::sessions::{self, SessionsError};

/// This machine, as far as a configuration depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Every interface with its addresses and the networks that they are in.
    pub addresses: BTreeMap<String, Vec<IpNet>>,
    /// Connections through which somebody administers it.
    pub sessions: Vec<Session>,
}

/// Why the machine cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The interfaces are not listed.
    #[error("cannot list the network interfaces of this machine: {0}")]
    Interfaces(Errno),
    /// The connections are not listed.
    #[error(transparent)]
    Sessions(#[from] SessionsError),
}

impl Machine {
    /// Looks at the machine.
    pub fn read() -> Result<Self, MachineError> {
        Ok(Self {
            addresses: addresses()?,
            sessions: sessions::read()?,
        })
    }
}

fn addresses() -> Result<BTreeMap<String, Vec<IpNet>>, MachineError> {
    let mut interfaces = BTreeMap::<String, Vec<IpNet>>::new();
    for entry in ifaddrs::getifaddrs().map_err(MachineError::Interfaces)? {
        let networks = interfaces.entry(entry.interface_name).or_default();
        let address = entry.address.as_ref().and_then(ip);
        let Some(address) = address else {
            continue;
        };
        let mask = entry.netmask.as_ref().and_then(ip);
        let network = mask.and_then(|mask| IpNet::with_netmask(address, mask).ok());
        networks.push(network.unwrap_or_else(|| address.into()));
    }
    Ok(interfaces)
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(v4.ip().into());
    }
    address.as_sockaddr_in6().map(|v6| v6.ip().into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_loopback_interface_is_found() {
        let machine = Machine::read().expect("a machine");
        let loopback = &machine.addresses["lo"];
        let network = IpNet::new(Ipv4Addr::LOCALHOST.into(), 8).expect("a prefix");
        assert!(loopback.contains(&network), "{loopback:?}");
    }
}
