//! What hosts claim by ARP and neighbour discovery. The host and another are each bound to their own MAC address.

use std::net::IpAddr;

use enforcer_common::{host::Family, role::RoleId};

use super::{
    DENIED,
    Known::{self, Bound, Nobody},
    Place, Row,
    alter::{by, chained, cut, fragment, hops, lying, shortened, vlan},
    build::*,
    table,
};
use crate::fixture::{GATEWAY_MAC, HOST_MAC, OTHER_MAC, arp, arp_reply, frame};

const HOST: Known = Bound(RoleId::DENIED);

pub(super) fn rows() -> Vec<Row> {
    let arp = by_arp().into_iter().map(|row| row.only(Family::V4));
    let discovery = [by_discovery(), lies_in_discovery()].concat();
    let discovery = discovery.into_iter().map(|row| row.only(Family::V6));
    arp.chain(discovery).collect()
}

/// Whoever says to have this MAC and IP address asks who the gateway is.
fn asks(at: &Place, mac: [u8; 6], address: IpAddr) -> Vec<u8> {
    arp(mac, address, at.gateway)
}

/// Whoever says to have this MAC and IP address tells the gateway so.
fn tells(at: &Place, mac: [u8; 6], address: IpAddr) -> Vec<u8> {
    arp_reply(mac, address, at.gateway)
}

fn by_arp() -> Vec<Row> {
    table! {
        out  HOST, "asks who the gateway is": |at| asks(at, HOST_MAC, at.host) => Pass Link;
        out  HOST, "says who it is": |at| tells(at, HOST_MAC, at.host) => Pass Link;
        out  HOST, "says who it is, unasked": |at| arp(HOST_MAC, at.host, at.host) => Pass Link;
        out  HOST, "another answers for it": |at| by(OTHER_MAC, tells(at, OTHER_MAC, at.host)) => Drop Spoofed;
        out  HOST, "another asks in its name": |at| by(OTHER_MAC, asks(at, OTHER_MAC, at.host)) => Drop Spoofed;
        out  HOST, "another tells where it is": |at| by(OTHER_MAC, tells(at, HOST_MAC, at.host)) => Drop Spoofed;
        out  HOST, "is at another's MAC": |at| tells(at, OTHER_MAC, at.host) => Drop Spoofed;
        out  HOST, "is at no MAC at all": |at| tells(at, NO_MAC, at.host) => Drop Spoofed;
        out  HOST, "answers for another": |at| tells(at, HOST_MAC, at.other) => Drop Spoofed;
        out  HOST, "takes another's address, unasked": |at| arp(HOST_MAC, at.other, at.other) => Drop Spoofed;
        out  HOST, "tells where another is": |at| tells(at, OTHER_MAC, at.other) => Drop Spoofed;
        out  HOST, "takes another off the network": |at| tells(at, NO_MAC, at.other) => Drop Spoofed;
        out  HOST, "asks whether another's address is free": |at| arp(HOST_MAC, [0; 4].into(), at.other) => Pass Link;
        out  HOST, "is the gateway": |at| tells(at, HOST_MAC, at.gateway) => Drop Martian;
        out  HOST, "takes the gateway's address, unasked": |at| asks(at, HOST_MAC, at.gateway) => Drop Martian;
        out  HOST, "is loopback": |at| tells(at, HOST_MAC, [127, 0, 0, 1].into()) => Drop Martian;
        out  HOST, "is many": |at| tells(at, HOST_MAC, [239, 1, 2, 3].into()) => Drop Martian;
        out  HOST, "is everybody": |at| tells(at, HOST_MAC, everybody()) => Drop Martian;
        out  HOST, "is on this network": |at| tells(at, HOST_MAC, [0, 0, 0, 9].into()) => Drop Martian;
        out  HOST, "in a VLAN of its zone": |at| vlan(&[7], asks(at, HOST_MAC, at.host)) => Pass Link;
        out  HOST, "another in a VLAN of its zone": |at| vlan(&[7], tells(at, OTHER_MAC, at.host)) => Drop Spoofed;
        out  HOST, "the same address in another zone": |at| vlan(&[20], tells(at, OTHER_MAC, at.host)) => Pass Link;
        out  HOST, "is the gateway in another zone": |at| vlan(&[20], tells(at, HOST_MAC, at.gateway)) => Drop Martian;
        back HOST, "the gateway asks who it is": |at| {
            by(GATEWAY_MAC, arp(GATEWAY_MAC, at.gateway, at.host))
        } => Pass Link;
        back HOST, "the gateway says who it is": |at| {
            by(GATEWAY_MAC, arp_reply(GATEWAY_MAC, at.gateway, at.host))
        } => Pass Link;

        out  Nobody, "asks who the gateway is": |at| asks(at, HOST_MAC, at.host) => Pass Link;
        out  Nobody, "is the gateway": |at| tells(at, HOST_MAC, at.gateway) => Drop Martian;
        out  Nobody, "ARP cut short": |at| cut(33, asks(at, HOST_MAC, at.host)) => Drop Malformed;
        out  Nobody, "ARP of another kind of link": |at| lying(1, 6, asks(at, HOST_MAC, at.host)) => Drop Malformed;
        out  Nobody, "ARP for another protocol": |at| lying(2, 9, asks(at, HOST_MAC, at.host)) => Drop Malformed;
        out  Nobody, "ARP with long addresses": |at| lying(4, 8, asks(at, HOST_MAC, at.host)) => Drop Malformed;
        back Nobody, "odd ARP": |_| frame(0x0806, &[0; 46]) => Pass Link;
    }
}

/// The host says who it, or another, is.
fn says(at: &Place, about: IpAddr, options: &[u8]) -> Vec<u8> {
    discovery(ADVERTISEMENT, (at.host, at.gateway), about, options)
}

/// The same to all.
fn tells_all(at: &Place, about: IpAddr, options: &[u8]) -> Vec<u8> {
    discovery(ADVERTISEMENT, (at.host, link_many(1)), about, options)
}

/// The host looks for the gateway.
fn looks(at: &Place, options: &[u8]) -> Vec<u8> {
    discovery(SOLICITATION, (at.host, at.gateway), at.gateway, options)
}

/// The host looks for a neighbour at this address.
fn looks_at(at: &Place, to: IpAddr) -> Vec<u8> {
    discovery(SOLICITATION, (at.host, to), to, &[])
}

/// Whoever has no address yet asks whether this one is free.
fn is_free(about: IpAddr) -> Vec<u8> {
    discovery(SOLICITATION, (nobody(), link_many(1)), about, &[])
}

/// Somebody looks for routers.
fn routers(from: IpAddr, options: &[u8]) -> Vec<u8> {
    discovery(ROUTER_SOLICITATION, (from, link_many(2)), from, options)
}

/// The gateway speaks to the host.
fn of_gateway(at: &Place, kind: u8, about: IpAddr) -> Vec<u8> {
    discovery(kind, (at.gateway, at.host), about, &[])
}

fn by_discovery() -> Vec<Row> {
    table! {
        out  DENIED, "looks for the gateway": |at| looks(at, &[]) => Pass OwnService;
        out  DENIED, "looks for a neighbour": |at| looks_at(at, link_many(0x101)) => Pass OwnService;
        out  DENIED, "looks for a neighbour at its link-local address": |at| {
            looks_at(at, link_local(9))
        } => Pass OwnService;
        out  DENIED, "looks for a neighbour far away": |at| looks_at(at, at.server) => Drop RoleDenies;
        out  DENIED, "looks for many far away": |at| {
            looks_at(at, [0xff05, 0, 0, 0, 0, 0, 0, 2].into())
        } => Drop RoleDenies;
        out  DENIED, "looks from beyond the link": |at| hops(254, looks(at, &[])) => Drop RoleDenies;
        out  DENIED, "looks for routers": |at| routers(at.host, &source(HOST_MAC)) => Pass OwnService;
        out  DENIED, "says who it is": |at| says(at, at.host, &target(HOST_MAC)) => Pass OwnService;
        out  DENIED, "says who it is to a server": |at| {
            discovery(ADVERTISEMENT, (at.host, at.server), at.host, &[])
        } => Drop RoleDenies;
        out  DENIED, "looks behind options": |at| chained(1, looks(at, &[])) => Pass OwnService;
        out  Nobody, "looks whether its address is free": |at| is_free(at.host) => Pass OwnService;
        out  Nobody, "looks for routers without an address": |_| routers(nobody(), &[]) => Pass OwnService;
        back DENIED, "a neighbour looks for it": |at| of_gateway(at, SOLICITATION, at.host) => Pass OwnService;
        back DENIED, "the gateway says who it is": |at| of_gateway(at, ADVERTISEMENT, at.gateway) => Pass OwnService;
        back DENIED, "discovery from beyond the link": |at| {
            hops(64, of_gateway(at, SOLICITATION, at.host))
        } => Drop RoleDenies;

        out  HOST, "says who it is": |at| says(at, at.host, &target(HOST_MAC)) => Pass OwnService;
        out  HOST, "says who it is, without its MAC": |at| says(at, at.host, &[]) => Pass OwnService;
        out  HOST, "says who it is, unasked": |at| tells_all(at, at.host, &target(HOST_MAC)) => Pass OwnService;
        out  HOST, "says who it is, twice": |at| says(at, at.host, &target(HOST_MAC).repeat(2)) => Pass OwnService;
        out  HOST, "looks for the gateway": |at| looks(at, &source(HOST_MAC)) => Pass OwnService;
        out  HOST, "asks whether another's address is free": |at| is_free(at.other) => Pass OwnService;
    }
}

fn lies_in_discovery() -> Vec<Row> {
    table! {
        out  HOST, "is at another's MAC": |at| says(at, at.host, &target(OTHER_MAC)) => Drop Spoofed;
        out  HOST, "answers for another": |at| says(at, at.other, &target(HOST_MAC)) => Drop Spoofed;
        out  HOST, "answers for another without a MAC": |at| says(at, at.other, &[]) => Drop Spoofed;
        out  HOST, "answers for another, unasked": |at| tells_all(at, at.other, &target(HOST_MAC)) => Drop Spoofed;
        out  HOST, "answers for another behind options": |at| chained(2, says(at, at.other, &[])) => Drop Spoofed;
        out  HOST, "answers for another from a link-local address": |at| {
            discovery(ADVERTISEMENT, (link_local(9), at.gateway), at.other, &target(HOST_MAC))
        } => Drop Spoofed;
        out  HOST, "another answers for it": |at| by(OTHER_MAC, {
            discovery(ADVERTISEMENT, (link_local(9), at.gateway), at.host, &target(OTHER_MAC))
        }) => Drop Spoofed;
        out  HOST, "another looks in its name": |at| by(OTHER_MAC, looks(at, &source(OTHER_MAC))) => Drop Spoofed;
        out  HOST, "looks from another's MAC": |at| looks(at, &source(OTHER_MAC)) => Drop Spoofed;
        out  HOST, "looks for routers from another's MAC": |at| routers(at.host, &source(OTHER_MAC)) => Drop Spoofed;
        out  HOST, "is the gateway": |at| tells_all(at, at.gateway, &target(HOST_MAC)) => Drop Martian;
        out  HOST, "asks whether the gateway's address is free": |at| is_free(at.gateway) => Drop Martian;
        out  HOST, "is loopback": |at| says(at, [0, 0, 0, 0, 0, 0, 0, 1].into(), &target(HOST_MAC)) => Drop Martian;
        out  HOST, "is many": |at| says(at, link_many(1), &target(HOST_MAC)) => Drop Martian;
        out  HOST, "two MACs": |at| {
            says(at, at.host, &[target(HOST_MAC), target(OTHER_MAC)].concat())
        } => Drop Malformed;
        out  HOST, "an option of no length": |at| says(at, at.host, &[2, 0, 2, 0, 0, 0, 0, 0x10]) => Drop Malformed;
        out  HOST, "an option beyond the end": |at| says(at, at.host, &[2, 2, 2, 0, 0, 0, 0, 0x10]) => Drop Malformed;
        out  HOST, "half an option": |at| says(at, at.host, &[2, 1, 2, 0]) => Drop Malformed;
        out  HOST, "eight options": |at| says(at, at.host, &target(HOST_MAC).repeat(8)) => Pass OwnService;
        out  HOST, "nine options": |at| says(at, at.host, &target(HOST_MAC).repeat(9)) => Drop TooDeep;
        out  HOST, "without its target": |at| shortened(8, says(at, at.host, &[])) => Drop Malformed;
        out  HOST, "in a first fragment": |at| fragment(0, says(at, at.host, &[])) => Drop Malformed;
    }
}
