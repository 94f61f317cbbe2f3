//! The gateway's own addresses.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

/// Addresses, each with the interface that has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses(Vec<(String, IpAddr)>);

impl Addresses {
    /// Those of this machine.
    pub(crate) fn read() -> nix::Result<Self> {
        let entries = getifaddrs()?.filter_map(|entry| {
            let address = entry.address?;
            let ip = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
                (Some(v4), _) => IpAddr::V4(v4.ip()),
                (_, Some(v6)) => IpAddr::V6(v6.ip()),
                _ => return None,
            };
            Some((entry.interface_name, ip))
        });
        Ok(Self(entries.collect()))
    }

    /// Those of one interface.
    pub(crate) fn of(&self, interface: &str) -> impl Iterator<Item = IpAddr> {
        let of_it = self.0.iter().filter(move |(name, _)| name == interface);
        of_it.map(|(_, address)| *address)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = IpAddr> {
        self.0.iter().map(|(_, address)| *address)
    }
}

impl FromIterator<(String, IpAddr)> for Addresses {
    fn from_iter<I: IntoIterator<Item = (String, IpAddr)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}
