//! Network interfaces with the addresses that this endpoint claims.

use std::{collections::BTreeMap, net::IpAddr};

use enforcer_protocol::posture::Interface;
use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags, sys::socket::SockaddrStorage};

/// Interfaces that have a MAC address and an address that a gateway could see. Nothing of tunnels, of
/// loopback, and of addresses that do not leave the link.
pub fn with_addresses() -> Vec<Interface> {
    let entries = match getifaddrs() {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(%error, "the network interfaces cannot be listed; no address is claimed");
            return Vec::new();
        }
    };
    let mut found: BTreeMap<String, Interface> = BTreeMap::new();
    for entry in entries.filter(|entry| !entry.flags.contains(InterfaceFlags::IFF_LOOPBACK)) {
        let name = entry.interface_name;
        let interface = found.entry(name.clone()).or_insert_with(|| Interface {
            name,
            mac: String::new(),
            addresses: Vec::new(),
        });
        match entry.address.as_ref().and_then(said) {
            Some(Said::Mac(mac)) => interface.mac = mac,
            Some(Said::Address(address)) => interface.addresses.push(address),
            None => {}
        }
    }
    let whole =
        |interface: &Interface| !interface.mac.is_empty() && !interface.addresses.is_empty();
    found.into_values().filter(whole).collect()
}

enum Said {
    Mac(String),
    Address(IpAddr),
}

fn said(address: &SockaddrStorage) -> Option<Said> {
    if let Some(link) = address.as_link_addr() {
        return link.addr().and_then(format_mac).map(Said::Mac);
    }
    let four = address.as_sockaddr_in().map(|four| IpAddr::from(four.ip()));
    let ip = four.or_else(|| address.as_sockaddr_in6().map(|six| IpAddr::from(six.ip())))?;
    leaves_the_link(ip).then_some(Said::Address(ip))
}

fn format_mac(mac: [u8; 6]) -> Option<String> {
    let pairs = mac.map(|byte| format!("{byte:02x}"));
    (mac != [0; 6]).then(|| pairs.join(":"))
}

fn leaves_the_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => !four.is_link_local() && !four.is_loopback(),
        IpAddr::V6(six) => !six.is_unicast_link_local() && !six.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_a_gateway_could_see() {
        for address in ["10.0.0.5", "203.0.113.9", "2001:db8::5", "fd00::5"] {
            assert!(leaves_the_link(address.parse().unwrap()), "{address}");
        }
        for address in ["169.254.7.7", "fe80::1", "127.0.0.1", "::1"] {
            assert!(!leaves_the_link(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn macs() {
        assert_eq!(
            format_mac([2, 0, 0xab, 0, 0, 1]).as_deref(),
            Some("02:00:ab:00:00:01")
        );
        assert_eq!(format_mac([0; 6]), None);
    }

    #[test]
    fn only_whole_interfaces_are_claimed() {
        for interface in with_addresses() {
            assert!(
                !interface.addresses.is_empty() && interface.mac.len() == 17,
                "{interface:?}"
            );
        }
    }
}
