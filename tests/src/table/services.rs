//! What keeps the network running, for the least of hosts: one that is denied.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    DENIED,
    Known::{Nobody, Unanswered},
    Place, Row,
    alter::{extended, hops, vlan},
    build::{everybody, link_local, link_many, nobody},
    table,
};
use crate::fixture;

fn dhcp(from: IpAddr, to: IpAddr) -> Vec<u8> {
    fixture::udp((from, 68).into(), (to, 67).into(), &[1; 240])
}

fn dhcpv6(from: IpAddr, to: IpAddr) -> Vec<u8> {
    fixture::udp((from, 546).into(), (to, 547).into(), &[1; 60])
}

/// All DHCPv6 relays and servers (RFC 8415 section 7.1).
fn servers() -> IpAddr {
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2).into()
}

/// All routers that know of listeners (RFC 3810 section 5.2.14).
fn routers() -> IpAddr {
    link_many(22)
}

fn report(at: &Place, to: IpAddr, kind: u8) -> Vec<u8> {
    hops(1, at.raw_to(to, 58, &[kind, 0, 0, 0, 0, 0, 0, 0]))
}

/// A hop-by-hop header with the router alert that reports come with (RFC 2711).
const ROUTER_ALERT: [u8; 7] = [0, 5, 2, 0, 0, 1, 0];

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  Nobody, "asks for an address" in V4: |_| dhcp([0; 4].into(), everybody()) => Pass OwnService;
        out  Nobody, "asks for an address in a VLAN" in V4: |_| {
            vlan(&[7], dhcp([0; 4].into(), everybody()))
        } => Pass OwnService;
        out  Unanswered, "asks for an address" in V4: |at| dhcp(at.host, everybody()) => Pass OwnService;
        out  DENIED, "asks to keep its address" in V4: |at| dhcp(at.host, everybody()) => Pass OwnService;
        out  DENIED, "asks the gateway to keep its address" in V4: |at| dhcp(at.host, at.gateway) => Pass OwnService;
        out  DENIED, "DHCP to some server" in V4: |at| dhcp(at.host, at.server) => Drop RoleDenies;
        out  DENIED, "DHCP from another port" in V4: |at| {
            fixture::udp((at.host, 9).into(), (everybody(), 67).into(), &[1; 240])
        } => Drop RoleDenies;
        out  DENIED, "asks for an address" in V6: |at| dhcpv6(at.host, servers()) => Pass OwnService;
        out  Nobody, "asks for an address from a link-local address" in V6: |_| {
            dhcpv6(link_local(9), servers())
        } => Pass OwnService;
        out  DENIED, "asks the gateway for an address" in V6: |at| dhcpv6(at.host, at.gateway) => Pass OwnService;
        out  DENIED, "DHCPv6 to some server" in V6: |at| dhcpv6(at.host, at.server) => Drop RoleDenies;
        out  DENIED, "DHCPv6 to many far away" in V6: |at| {
            dhcpv6(at.host, [0xff05, 0, 0, 0, 0, 0, 1, 3].into())
        } => Drop RoleDenies;

        out  DENIED, "joins a group" in V4: |at| {
            at.raw_to([224, 0, 0, 22].into(), 2, &[0x22, 0, 0, 0, 0, 0, 0, 0])
        } => Pass OwnService;
        out  DENIED, "joins a group far away" in V4: |at| at.raw(2, &[0x22; 8]) => Drop RoleDenies;
        out  DENIED, "joins a group of many far away" in V4: |at| {
            at.raw_to([239, 1, 2, 3].into(), 2, &[0x22; 8])
        } => Drop RoleDenies;
        out  DENIED, "joins a group" in V6: |at| report(at, routers(), 143) => Pass OwnService;
        out  DENIED, "joins a group, with a router alert" in V6: |at| {
            extended(0, &ROUTER_ALERT, report(at, routers(), 143))
        } => Pass OwnService;
        out  DENIED, "joins a group in the old way" in V6: |at| report(at, link_many(9), 131) => Pass OwnService;
        out  DENIED, "leaves a group in the old way" in V6: |at| report(at, link_many(2), 132) => Pass OwnService;
        out  Nobody, "joins a group without an address" in V6: |_| {
            hops(1, fixture::raw(nobody(), routers(), 58, &[143, 0, 0, 0, 0, 0, 0, 0]))
        } => Pass OwnService;
        out  DENIED, "joins a group far away" in V6: |at| report(at, at.server, 143) => Drop RoleDenies;
    }
}
