//! The gateway's own addresses.

use std::{fs, net::IpAddr};

use nix::ifaddrs::getifaddrs;

/// The addresses of one interface.
pub(super) fn of(interface: &str) -> nix::Result<Vec<IpAddr>> {
    Ok(all()?
        .filter(|(name, _)| name == interface)
        .map(|(_, address)| address)
        .collect())
}

/// The addresses of the VLANs of an interface, with their numbers.
pub(super) fn of_vlans(interface: &str) -> nix::Result<Vec<(u16, IpAddr)>> {
    let vlans = vlans(&fs::read_to_string(VLANS).unwrap_or_default(), interface);
    let of = |(name, address): (String, IpAddr)| {
        let vlan = vlans.iter().find(|(own, _)| *own == name);
        vlan.map(|(_, id)| (*id, address))
    };
    Ok(all()?.filter_map(of).collect())
}

/// Where the kernel lists VLAN devices: name, number and parent, between bars.
const VLANS: &str = "/proc/net/vlan/config";

fn vlans(text: &str, parent: &str) -> Vec<(String, u16)> {
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim);
        let (name, id, of) = (cells.next()?, cells.next()?, cells.next()?);
        (of == parent).then_some((name.to_owned(), id.parse().ok()?))
    };
    text.lines().filter_map(row).collect()
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
        let expected = [("lan0.10".to_owned(), 10), ("guests".to_owned(), 20)];
        assert_eq!(vlans(text, "lan0"), expected);
    }
}
