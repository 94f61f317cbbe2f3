//! Where a row happens: its addresses, and the packets between them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use enforcer_common::host::Family;

use super::{Known, alter::fragment};
use crate::fixture::{self, Tcp, v4, v6};

/// The addresses of a row. Each has hosts of its own, so that none meets what another left behind.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The host.
    pub host: IpAddr,
    /// Another host on the same link.
    pub other: IpAddr,
    /// A server that no rule names.
    pub server: IpAddr,
    /// The gateway.
    pub gateway: IpAddr,
    /// The remediation server: quarantined hosts reach its port 443, and guests all but two ports.
    pub mender: IpAddr,
    /// A server that quarantined hosts reach wholly.
    pub store: IpAddr,
}

/// The port of the host.
pub const HOST_PORT: u16 = 40_000;

impl Place {
    /// The addresses for the row with this number.
    pub fn new(family: Family, known: Known, number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        let (site4, site6) = match known {
            Known::Outside => ([198, 51, 100], 5),
            Known::Bypassed => ([203, 0, 113], 6),
            _ => ([10, 0, high], 7),
        };
        let [a, b, c] = site4;
        match family {
            Family::V4 => Self {
                host: Ipv4Addr::new(a, b, c, low).into(),
                other: Ipv4Addr::new(10, 1, high, low).into(),
                server: v4(99),
                gateway: v4(1),
                mender: v4(200),
                store: v4(201),
            },
            Family::V6 => Self {
                host: Ipv6Addr::new(0x2001, 0xdb8, site6, 0, 0, 0, 0, number).into(),
                other: Ipv6Addr::new(0x2001, 0xdb8, 8, 0, 0, 0, 0, number).into(),
                server: v6(99),
                gateway: v6(1),
                mender: v6(0x200),
                store: v6(0x201),
            },
        }
    }

    fn host(&self) -> SocketAddr {
        (self.host, HOST_PORT).into()
    }

    /// A segment to the server.
    pub fn tcp(&self, port: u16, kind: Tcp) -> Vec<u8> {
        self.tcp_to(self.server, port, kind)
    }

    /// A segment to somebody.
    pub fn tcp_to(&self, to: IpAddr, port: u16, kind: Tcp) -> Vec<u8> {
        fixture::tcp(self.host(), (to, port).into(), kind, payload(kind))
    }

    /// The first fragment of a segment with data to the server.
    pub fn first_fragment(&self, port: u16) -> Vec<u8> {
        fragment(0, self.tcp(port, Tcp::Data))
    }

    /// A segment of somebody.
    pub(super) fn tcp_back(&self, from: IpAddr, port: u16, kind: Tcp) -> Vec<u8> {
        fixture::tcp((from, port).into(), self.host(), kind, payload(kind))
    }

    /// A datagram to the server.
    pub(super) fn udp(&self, port: u16) -> Vec<u8> {
        self.udp_to(self.server, port)
    }

    /// A datagram to somebody.
    pub(super) fn udp_to(&self, to: IpAddr, port: u16) -> Vec<u8> {
        fixture::udp(self.host(), (to, port).into(), b"question")
    }

    /// A datagram of so many bytes to the server.
    pub(super) fn long_udp(&self, length: usize) -> Vec<u8> {
        let payload: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        fixture::udp(self.host(), (self.server, 9).into(), &payload)
    }

    /// A datagram of somebody.
    pub(super) fn udp_back(&self, from: IpAddr, port: u16) -> Vec<u8> {
        fixture::udp((from, port).into(), self.host(), b"response")
    }

    /// An echo request to the server.
    pub(super) fn ping(&self) -> Vec<u8> {
        fixture::ping(self.host, self.server)
    }

    /// An echo request of somebody.
    pub(super) fn ping_back(&self, from: IpAddr) -> Vec<u8> {
        fixture::ping(from, self.host)
    }

    /// A packet of any protocol to the server.
    pub(super) fn raw(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        self.raw_to(self.server, protocol, payload)
    }

    /// A packet of any protocol to somebody.
    pub(super) fn raw_to(&self, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
        fixture::raw(self.host, to, protocol, payload)
    }

    /// A packet of any protocol of the server.
    pub(super) fn raw_back(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        fixture::raw(self.server, self.host, protocol, payload)
    }
}

fn payload(kind: Tcp) -> &'static [u8] {
    match kind {
        Tcp::Data | Tcp::Fin => b"data",
        Tcp::Syn | Tcp::SynAck | Tcp::Ack | Tcp::Reset => b"",
    }
}
