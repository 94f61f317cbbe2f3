//! Who has which addresses. All of them are for documentation (RFC 5737, RFC 3849).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The two addresses of a machine.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) v4: Ipv4Addr,
    pub(super) v6: Ipv6Addr,
}

/// The gateway on the side of the clients.
pub(super) const GATEWAY_LAN: Pair = pair([192, 0, 2], 1, 1);
/// The client that complies.
pub(super) const LAPTOP: Pair = pair([192, 0, 2], 1, 11);
/// The client that does not, at first.
pub(super) const DESKTOP: Pair = pair([192, 0, 2], 1, 12);
/// The gateway on the side of the servers.
pub(super) const GATEWAY_WAN: Pair = pair([198, 51, 100], 2, 1);
/// The management server.
pub(super) const MANAGEMENT: Pair = pair([198, 51, 100], 2, 2);
/// The web server.
pub(super) const WEB: Pair = pair([198, 51, 100], 2, 80);
/// The gateway on the side of the remediation server.
pub(super) const GATEWAY_FIX: Pair = pair([203, 0, 113], 3, 1);
/// The server from which a client in quarantine is repaired.
pub(super) const REMEDIATION: Pair = pair([203, 0, 113], 3, 10);

/// The ports of the web server: pages, the same in place of HTTPS, and an echo of datagrams.
pub(super) const HTTP: u16 = 80;
pub(super) const HTTPS: u16 = 443;
pub(super) const ECHO: u16 = 7;

const fn pair(net: [u8; 3], net6: u16, host: u8) -> Pair {
    let [a, b, c] = net;
    Pair {
        v4: Ipv4Addr::new(a, b, c, host),
        v6: Ipv6Addr::new(0x2001, 0xdb8, net6, 0, 0, 0, 0, host as u16),
    }
}

impl Pair {
    /// A port at the IPv4 address.
    pub(super) fn v4(self, port: u16) -> SocketAddr {
        (self.v4, port).into()
    }

    /// A port at the IPv6 address.
    pub(super) fn v6(self, port: u16) -> SocketAddr {
        (self.v6, port).into()
    }

    /// Both addresses.
    pub(super) fn both(self) -> [IpAddr; 2] {
        [self.v4.into(), self.v6.into()]
    }
}
