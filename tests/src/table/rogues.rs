//! Who plays the router or the DHCP server on the side of the hosts.

use std::net::IpAddr;

use enforcer_common::host::Family;

use super::{
    BAD, DENIED, GOOD,
    Known::{self, Bound, Bypassed, Nobody, Outside},
    Place, Row,
    alter::{by, chained, fragment, hops, vlan},
    build::*,
    table,
};
use crate::fixture::{self, HOST_MAC, OTHER_MAC, Tcp::*};
use enforcer_common::role::RoleId;

const ROUTER: Known = Bound(RoleId::AUTHORIZED);

pub(super) fn rows() -> Vec<Row> {
    let routers = routers().into_iter().map(|row| row.only(Family::V6));
    routers.chain(dhcp_servers()).collect()
}

fn advertises(at: &Place) -> Vec<u8> {
    discovery(ROUTER_ADVERTISEMENT, (at.host, link_many(1)), at.host, &[])
}

fn redirects(at: &Place, target: IpAddr, options: &[u8]) -> Vec<u8> {
    discovery(REDIRECT, (at.host, link_many(1)), target, options)
}

fn routers() -> Vec<Row> {
    table! {
        out  GOOD, "plays the router": advertises => Drop RogueRouter;
        out  DENIED, "plays the router": advertises => Drop RogueRouter;
        out  Nobody, "plays the router": advertises => Drop RogueRouter;
        out  Outside, "plays the router": advertises => Drop RogueRouter;
        out  Bypassed, "plays the router": advertises => Drop RogueRouter;
        out  GOOD, "plays the router for one": |at| {
            discovery(ROUTER_ADVERTISEMENT, (at.host, at.gateway), at.host, &[])
        } => Drop RogueRouter;
        out  GOOD, "plays the router from a link-local address": |_| {
            discovery(ROUTER_ADVERTISEMENT, (link_local(9), link_many(1)), link_local(9), &source(HOST_MAC))
        } => Drop RogueRouter;
        out  GOOD, "plays the router from beyond the link": |at| hops(64, advertises(at)) => Drop RogueRouter;
        out  GOOD, "plays the router behind options": |at| chained(1, advertises(at)) => Drop RogueRouter;
        out  GOOD, "plays the router in a fragment": |at| fragment(0, advertises(at)) => Drop Malformed;
        out  GOOD, "plays the router in a VLAN": |at| vlan(&[7], advertises(at)) => Drop RogueRouter;
        out  GOOD, "redirects": |at| redirects(at, at.other, &[]) => Drop RogueRouter;
        out  DENIED, "redirects": |at| redirects(at, at.other, &target(HOST_MAC)) => Drop RogueRouter;
        out  GOOD, "is a router" given Trusting: advertises => Pass RoleAllows;
        out  Nobody, "is a router" given Trusting: advertises => Drop Held;
        out  DENIED, "is a router" given Trusting: advertises => Drop RoleDenies;
        out  ROUTER, "redirects to another" given Trusting: |at| {
            redirects(at, at.other, &target(OTHER_MAC))
        } => Pass RoleAllows;
        out  ROUTER, "redirects to another, at a MAC of its own" given Trusting: |at| {
            redirects(at, at.other, &target(HOST_MAC))
        } => Drop Spoofed;
        out  ROUTER, "redirects in another's name" given Trusting: |at| {
            by(OTHER_MAC, redirects(at, at.other, &[]))
        } => Drop Spoofed;
        out  ROUTER, "is a router at another's MAC" given Trusting: |at| {
            discovery(ROUTER_ADVERTISEMENT, (at.host, link_many(1)), at.host, &source(OTHER_MAC))
        } => Drop Spoofed;
        back DENIED, "the gateway is the router": |at| {
            discovery(ROUTER_ADVERTISEMENT, (at.gateway, at.host), at.gateway, &[])
        } => Pass OwnService;
        back Nobody, "the gateway is the router of all": |at| {
            discovery(ROUTER_ADVERTISEMENT, (at.gateway, link_many(1)), at.gateway, &[])
        } => Pass OwnService;
        back DENIED, "the gateway redirects": |at| {
            discovery(REDIRECT, (at.gateway, at.host), at.other, &[])
        } => Pass OwnService;
    }
}

fn offers(at: &Place, from: u16) -> Vec<u8> {
    let to = if at.host.is_ipv4() { 68 } else { 546 };
    fixture::udp((at.host, from).into(), (at.server, to).into(), &[2; 240])
}

fn dhcp_servers() -> Vec<Row> {
    table! {
        out  GOOD, "plays the DHCP server": |at| offers(at, 67) => Drop RogueDhcp;
        out  GOOD, "plays the DHCP server from an odd port": |at| offers(at, 9) => Drop RogueDhcp;
        out  BAD, "plays the DHCP server": |at| offers(at, 67) => Drop RogueDhcp;
        out  Nobody, "plays the DHCP server": |at| offers(at, 67) => Drop RogueDhcp;
        out  Outside, "plays the DHCP server": |at| offers(at, 67) => Drop RogueDhcp;
        out  GOOD, "plays the DHCP server in a fragment": |at| fragment(0, offers(at, 67)) => Drop RogueDhcp;
        out  GOOD, "plays the DHCP server behind options" in V6: |at| chained(1, offers(at, 547)) => Drop RogueDhcp;
        out  GOOD, "plays the DHCP server for all" in V4: |at| {
            fixture::udp((at.host, 67).into(), (everybody(), 68).into(), &[2; 240])
        } => Drop RogueDhcp;
        out  GOOD, "DHCP's port by TCP": |at| at.tcp(if at.host.is_ipv4() { 68 } else { 546 }, Syn) => Pass RoleAllows;
        out  GOOD, "is a DHCP server" given Trusting: |at| offers(at, 67) => Pass RoleAllows;
        out  BAD, "is a DHCP server" given Trusting: |at| offers(at, 67) => Reject RoleDenies;
        back DENIED, "the gateway offers an address" in V4: |at| {
            fixture::udp((at.gateway, 67).into(), (at.host, 68).into(), &[2; 240])
        } => Pass OwnService;
        back DENIED, "the gateway offers an address" in V6: |at| {
            fixture::udp((at.gateway, 547).into(), (at.host, 546).into(), &[2; 240])
        } => Pass OwnService;
        back DENIED, "some server offers an address" in V4: |at| {
            fixture::udp((at.server, 67).into(), (at.host, 68).into(), &[2; 240])
        } => Drop RoleDenies;
    }
}
