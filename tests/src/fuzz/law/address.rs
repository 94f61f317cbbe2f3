//! What addresses mean, in the words of the standard library.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether no host has this address (RFC 6890).
pub(super) fn is_no_host(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => matches!(ip.octets()[0], 0 | 127 | 224..=255),
        IpAddr::V6(ip) => ip.is_multicast() || ip.to_ipv4_mapped().is_some() || is_lowest(ip),
    }
}

/// Whether nobody can be sent anything at this address.
pub(super) fn is_nowhere(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => matches!(ip.octets()[0], 0 | 127),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().is_some() || is_lowest(ip),
    }
}

/// `::/96`: the unspecified and the loopback address, and IPv4 written as IPv6 of old.
fn is_lowest(ip: Ipv6Addr) -> bool {
    ip.segments()[..6] == [0; 6]
}

/// Whether what is sent there is for many.
pub(super) fn is_many(ip: IpAddr) -> bool {
    ip.is_multicast() || ip == IpAddr::from(Ipv4Addr::BROADCAST)
}

/// Whether no router forwards what is sent to this group.
pub(super) fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] == 0xff02,
    }
}
