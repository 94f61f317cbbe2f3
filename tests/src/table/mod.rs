//! Packets with what must become of them, written once and run through the shared code, the kernel
//! programs and the benchmark.
//!
//! A row reads: what it is, who the host is, the packet, and its verdict with the reason.

#![expect(clippy::too_many_lines, reason = "a table is as long as it has rows")]
#![allow(clippy::enum_glob_use, reason = "the words of a table are short")]

mod alter;
mod compliant;
mod martian;
mod refused;
mod services;
mod stopped;
mod unknown;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use enforcer_common::{
    decide::{Direction, Reason, Verdict},
    host::Family,
    packet::protocol,
    role::RoleId,
};

use crate::fixture::{self, Tcp, v4, v6};

/// Who the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The management server decided.
    As(RoleId),
    /// The same, and the host has a redirected flow to port 80 of the server.
    OnPortal,
    /// Nothing is known of it, and nobody was asked yet.
    Nobody,
    /// The management server was asked, and may still answer.
    Asked,
    /// The management server was asked, and did not answer in time.
    Unanswered,
    /// The source that authorized it has been silent for longer than its lease.
    Silent,
    /// Its authorization had an end, which is over.
    Ended,
    /// Its address is in no scope.
    Outside,
    /// Its address is in a bypassed scope.
    Bypassed,
}

/// One packet.
#[derive(Clone, Copy)]
pub struct Row {
    /// What it is.
    pub what: &'static str,
    /// Who the host is.
    pub known: Known,
    /// Which way it travels.
    pub way: Direction,
    /// The packet, for these addresses.
    pub packet: fn(&Place) -> Vec<u8>,
    /// What the decision says.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What is done in the end, where that is not the verdict.
    pub done: Verdict,
    /// The families that it makes sense in.
    pub families: &'static [Family],
}

impl Row {
    /// Only this is done.
    fn done(self, done: Verdict) -> Self {
        Self { done, ..self }
    }

    /// Whether what answers it, if anything does, is an ICMP error.
    pub fn is_answered_by_icmp(&self) -> bool {
        let at = Place::new(self.families[0], self.known, 1);
        fixture::protocol(&(self.packet)(&at)) != Some(protocol::TCP)
    }

    /// Only in IPv4.
    fn v4(self) -> Self {
        let families = &[Family::V4];
        Self { families, ..self }
    }

    /// Only in IPv6.
    fn v6(self) -> Self {
        let families = &[Family::V6];
        Self { families, ..self }
    }
}

/// A packet that a host sends.
fn out(
    what: &'static str,
    known: Known,
    packet: fn(&Place) -> Vec<u8>,
    verdict: Verdict,
    reason: Reason,
) -> Row {
    Row {
        what,
        known,
        way: Direction::FromHost,
        packet,
        verdict,
        reason,
        done: verdict,
        families: &[Family::V4, Family::V6],
    }
}

/// A packet sent to a host.
fn back(
    what: &'static str,
    known: Known,
    packet: fn(&Place) -> Vec<u8>,
    verdict: Verdict,
    reason: Reason,
) -> Row {
    Row {
        way: Direction::ToHost,
        ..out(what, known, packet, verdict, reason)
    }
}

/// Every row.
pub fn rows() -> Vec<Row> {
    [
        compliant::rows(),
        stopped::rows(),
        unknown::rows(),
        services::rows(),
        martian::rows(),
        refused::rows(),
    ]
    .concat()
}

/// The addresses of a row. Each has a host of its own, so that none meets what another left behind.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The host.
    pub host: IpAddr,
    /// A server that no rule names.
    pub server: IpAddr,
    /// The gateway.
    pub gateway: IpAddr,
    /// The remediation server.
    pub mender: IpAddr,
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
                server: v4(99),
                gateway: v4(1),
                mender: v4(200),
            },
            Family::V6 => Self {
                host: Ipv6Addr::new(0x2001, 0xdb8, site6, 0, 0, 0, 0, number).into(),
                server: v6(99),
                gateway: v6(1),
                mender: v6(0x200),
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

    fn tcp_to(&self, to: IpAddr, port: u16, kind: Tcp) -> Vec<u8> {
        fixture::tcp(self.host(), (to, port).into(), kind, payload(kind))
    }

    fn tcp_back(&self, from: IpAddr, port: u16, kind: Tcp) -> Vec<u8> {
        fixture::tcp((from, port).into(), self.host(), kind, payload(kind))
    }

    fn udp_to(&self, to: IpAddr, port: u16) -> Vec<u8> {
        fixture::udp(self.host(), (to, port).into(), b"question")
    }

    fn udp_back(&self, from: IpAddr, port: u16) -> Vec<u8> {
        fixture::udp((from, port).into(), self.host(), b"answer")
    }

    fn ping_to(&self, to: IpAddr) -> Vec<u8> {
        fixture::ping(self.host, to)
    }

    fn ping_back(&self, from: IpAddr) -> Vec<u8> {
        fixture::ping(from, self.host)
    }
}

fn payload(kind: Tcp) -> &'static [u8] {
    if kind == Tcp::Data { b"data" } else { b"" }
}
