//! The gateway's own addresses.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

/// The addresses of one interface.
pub(super) fn of(interface: &str) -> nix::Result<Vec<IpAddr>> {
    Ok(all()?
        .filter(|(name, _)| name == interface)
        .map(|(_, address)| address)
        .collect())
}

/// Every address of this machine with its interface.
pub(super) fn all() -> nix::Result<impl Iterator<Item = (String, IpAddr)>> {
    Ok(getifaddrs()?.filter_map(|entry| {
        let address = entry.address?;
        let ip = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
            (Some(v4), _) => IpAddr::V4(v4.ip()),
            (_, Some(v6)) => IpAddr::V6(v6.ip()),
            _ => return None,
        };
        Some((entry.interface_name, ip))
    }))
}
