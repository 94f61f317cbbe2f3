//! The gateway's own addresses.

use std::{collections::HashSet, fs, net::IpAddr};

use nix::ifaddrs::getifaddrs;

use crate::config::Compiled;

/// Addresses, each with the interface that has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    of: Vec<(String, IpAddr)>,
    vlans: Vec<Vlan>,
}

/// An interface that is a VLAN of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Vlan {
    name: String,
    id: u16,
    parent: String,
}

/// Where the kernel lists VLAN devices: name, number and parent, between bars.
const VLANS: &str = "/proc/net/vlan/config";

impl Addresses {
    /// Those of this machine.
    pub(crate) fn read() -> nix::Result<Self> {
        let of = getifaddrs()?.filter_map(|entry| {
            let address = entry.address?;
            let ip = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
                (Some(v4), _) => IpAddr::V4(v4.ip()),
                (_, Some(v6)) => IpAddr::V6(v6.ip()),
                _ => return None,
            };
            Some((entry.interface_name, ip))
        });
        Ok(Self {
            of: of.collect(),
            vlans: vlans(&fs::read_to_string(VLANS).unwrap_or_default()),
        })
    }

    /// Those of one interface.
    pub(crate) fn of(&self, interface: &str) -> impl Iterator<Item = IpAddr> {
        let of_it = self.of.iter().filter(move |(name, _)| name == interface);
        of_it.map(|(_, address)| *address)
    }

    /// Those of the VLANs of an interface, with their numbers.
    pub(crate) fn of_vlans(&self, interface: &str) -> impl Iterator<Item = (u16, IpAddr)> {
        let vlans = self
            .vlans
            .iter()
            .filter(move |vlan| vlan.parent == interface);
        vlans.flat_map(|vlan| self.of(&vlan.name).map(|address| (vlan.id, address)))
    }

    /// Those that are on the side of no host: of other interfaces than those under enforcement and their VLANs.
    pub(crate) fn apart(&self, compiled: &Compiled) -> HashSet<IpAddr> {
        let judged = |name: &str| compiled.interfaces.iter().any(|one| one.name == name);
        let is_vlan = |name: &str| {
            let mut vlans = self.vlans.iter();
            vlans.any(|vlan| vlan.name == name && judged(&vlan.parent))
        };
        let apart = self
            .of
            .iter()
            .filter(|(name, _)| !judged(name) && !is_vlan(name));
        apart.map(|(_, address)| *address).collect()
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = IpAddr> {
        self.of.iter().map(|(_, address)| *address)
    }
}

impl FromIterator<(String, IpAddr)> for Addresses {
    fn from_iter<I: IntoIterator<Item = (String, IpAddr)>>(entries: I) -> Self {
        Self {
            of: entries.into_iter().collect(),
            vlans: Vec::new(),
        }
    }
}

fn vlans(text: &str) -> Vec<Vlan> {
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim);
        let (name, id, parent) = (cells.next()?, cells.next()?, cells.next()?);
        Some(Vlan {
            name: name.to_owned(),
            id: id.parse().ok()?,
            parent: parent.to_owned(),
        })
    };
    text.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_of_vlans_is_understood() {
        let text = "VLAN Dev name    | VLAN ID\n\
                    Name-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n\
                    lan0.10        | 10  | lan0\n\
                    guests         | 20  | lan0\n\
                    wan0.10        | 10  | wan0\n";
        let named = [("guests", 1), ("wan0.10", 2), ("lan0", 3)];
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let addresses = Addresses {
            of: named
                .map(|(name, last)| (name.to_owned(), address(last)))
                .to_vec(),
            vlans: vlans(text),
        };
        assert_eq!(addresses.vlans.len(), 3);
        let of_vlans: Vec<_> = addresses.of_vlans("lan0").collect();
        assert_eq!(of_vlans, [(20, address(1))]);
    }
}
