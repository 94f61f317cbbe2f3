//! Addresses that no host may send from, and addresses that nothing may be sent to.

use std::net::{IpAddr, Ipv6Addr};

use enforcer_common::host::Family;

use super::{
    BAD, GOOD,
    Known::{Bypassed, Nobody, Outside},
    Row,
    alter::vlan,
    build::*,
    table,
};
use crate::fixture::{self, HOST_MAC, Tcp::*};

pub(super) fn rows() -> Vec<Row> {
    let v4 = [sources_v4(), destinations_v4()].concat();
    let v6 = [sources_v6(), destinations_v6()].concat();
    let v4 = v4.into_iter().map(|row| row.only(Family::V4));
    let v6 = v6.into_iter().map(|row| row.only(Family::V6));
    v4.chain(v6).collect()
}

fn from(source: impl Into<IpAddr>, to: IpAddr) -> Vec<u8> {
    fixture::tcp((source.into(), 40_000).into(), (to, 443).into(), Syn, b"")
}

/// An IPv4 address in an IPv6 header.
fn in_disguise() -> IpAddr {
    [0, 0, 0, 0, 0, 0xffff, 0x0a00, 1].into()
}

/// An IPv4 address as it was once written in IPv6.
fn compatible() -> IpAddr {
    [0, 0, 0, 0, 0, 0, 0x0a00, 1].into()
}

fn loopback() -> IpAddr {
    Ipv6Addr::LOCALHOST.into()
}

fn sources_v4() -> Vec<Row> {
    table! {
        out  Nobody, "from 0.0.0.0": |at| from([0; 4], at.server) => Drop Martian;
        out  Nobody, "from this network": |at| from([0, 1, 2, 3], at.server) => Drop Martian;
        out  Nobody, "from loopback": |at| from([127, 0, 0, 1], at.server) => Drop Martian;
        out  Nobody, "from many": |at| from([239, 1, 2, 3], at.server) => Drop Martian;
        out  Nobody, "from class E": |at| from([240, 0, 0, 1], at.server) => Drop Martian;
        out  Nobody, "from all": |at| from(everybody(), at.server) => Drop Martian;
        out  Nobody, "from the gateway": |at| from(at.gateway, at.server) => Drop Martian;
        out  Nobody, "from the gateway, to itself": |at| from(at.gateway, at.gateway) => Drop Martian;
        out  Nobody, "from the gateway in another zone": |at| vlan(&[20], from(at.gateway, at.server)) => Drop Martian;
        out  Nobody, "from loopback to the gateway's DNS": |at| {
            fixture::udp(([127, 0, 0, 1], 9).into(), (at.gateway, 53).into(), b"")
        } => Drop Martian;
        out  Nobody, "from the gateway to its DNS": |at| {
            fixture::udp((at.gateway, 9).into(), (at.gateway, 53).into(), b"")
        } => Drop Martian;
        out  Nobody, "DHCP from loopback": |_| {
            fixture::udp(([127, 0, 0, 1], 68).into(), (everybody(), 67).into(), b"")
        } => Drop Martian;
        out  Nobody, "from 0.0.0.0 to the gateway's DNS": |at| {
            fixture::udp(([0; 4], 9).into(), (at.gateway, 53).into(), b"")
        } => Drop Martian;
        out  Nobody, "from loopback to many": |_| from([127, 0, 0, 1], [224, 0, 0, 22].into()) => Drop Martian;
        back Nobody, "to loopback": |at| from(at.server, [127, 0, 0, 1].into()) => Drop Martian;
        back Nobody, "to this network": |at| from(at.server, [0, 1, 2, 3].into()) => Drop Martian;
        back Nobody, "to class E": |at| from(at.server, [240, 0, 0, 1].into()) => Drop Martian;
    }
}

fn destinations_v4() -> Vec<Row> {
    table! {
        out  GOOD, "to 0.0.0.0": |at| at.tcp_to([0; 4].into(), 443, Syn) => Drop Martian;
        out  GOOD, "to this network": |at| at.udp_to([0, 1, 2, 3].into(), 9) => Drop Martian;
        out  GOOD, "to loopback": |at| at.tcp_to([127, 0, 0, 1].into(), 22, Syn) => Drop Martian;
        out  GOOD, "to loopback by UDP": |at| at.udp_to([127, 1, 2, 3].into(), 53) => Drop Martian;
        out  BAD, "to loopback": |at| at.tcp_to([127, 0, 0, 1].into(), 80, Syn) => Drop Martian;
        out  Nobody, "to loopback": |at| at.tcp_to([127, 0, 0, 1].into(), 22, Syn) => Drop Martian;
        out  Bypassed, "to loopback": |at| at.tcp_to([127, 0, 0, 1].into(), 22, Syn) => Drop Martian;
        out  Outside, "to loopback": |at| at.tcp_to([127, 0, 0, 1].into(), 22, Syn) => Drop Martian;
        out  GOOD, "to class E": |at| at.tcp_to([240, 0, 0, 1].into(), 443, Syn) => Pass RoleAllows;
    }
}

fn sources_v6() -> Vec<Row> {
    table! {
        out  Nobody, "from nobody": |at| from(nobody(), at.server) => Drop Martian;
        out  Nobody, "from loopback": |at| from(loopback(), at.server) => Drop Martian;
        out  Nobody, "from many": |at| from(link_many(5), at.server) => Drop Martian;
        out  Nobody, "from IPv4 in disguise": |at| from(in_disguise(), at.server) => Drop Martian;
        out  Nobody, "from IPv4 as it once was": |at| from(compatible(), at.server) => Drop Martian;
        out  Nobody, "from the gateway": |at| from(at.gateway, at.server) => Drop Martian;
        out  Nobody, "discovery from loopback": |_| {
            discovery(SOLICITATION, (loopback(), link_many(1)), loopback(), &[])
        } => Drop Martian;
        out  Nobody, "discovery from many": |at| {
            discovery(ADVERTISEMENT, (link_many(1), at.gateway), at.host, &[])
        } => Drop Martian;
        out  Nobody, "discovery from the gateway": |at| {
            discovery(SOLICITATION, (at.gateway, link_many(1)), at.host, &source(HOST_MAC))
        } => Drop Martian;
        out  Nobody, "advertises without an address": |at| {
            discovery(ROUTER_ADVERTISEMENT, (nobody(), link_many(1)), at.host, &[])
        } => Drop RogueRouter;
        back Nobody, "to nobody": |at| from(at.server, nobody()) => Drop Martian;
        back Nobody, "to loopback": |at| from(at.server, loopback()) => Drop Martian;
        back Nobody, "to IPv4 in disguise": |at| from(at.server, in_disguise()) => Drop Martian;
    }
}

fn destinations_v6() -> Vec<Row> {
    table! {
        out  GOOD, "to nobody": |at| at.tcp_to(nobody(), 443, Syn) => Drop Martian;
        out  GOOD, "to loopback": |at| at.tcp_to(loopback(), 22, Syn) => Drop Martian;
        out  GOOD, "to loopback by UDP": |at| at.udp_to(loopback(), 53) => Drop Martian;
        out  GOOD, "to IPv4 in disguise": |at| at.tcp_to(in_disguise(), 443, Syn) => Drop Martian;
        out  GOOD, "to IPv4 as it once was": |at| at.tcp_to(compatible(), 443, Syn) => Drop Martian;
        out  BAD, "discovery to loopback": |at| {
            discovery(SOLICITATION, (at.host, loopback()), at.host, &[])
        } => Drop Martian;
        out  Bypassed, "to loopback": |at| at.tcp_to(loopback(), 22, Syn) => Drop Martian;
        out  Nobody, "to loopback": |at| at.tcp_to(loopback(), 22, Syn) => Drop Martian;
    }
}
