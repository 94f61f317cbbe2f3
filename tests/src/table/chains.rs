//! Chains of extension headers in IPv6, and what stands in their place in IPv4.

use enforcer_common::host::Family;

use super::{
    BAD, GOOD,
    Known::Nobody,
    Row,
    alter::{chained, extended, lying, misjudged, of_protocol},
    table,
};
use crate::fixture::Tcp::*;

/// Extension headers.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;

/// Headers of eight bytes that say nothing, but for their first byte.
const PADDING: [u8; 7] = [0, 1, 4, 0, 0, 0, 0];
/// The option for more than 65,535 bytes (RFC 2675).
const JUMBO: [u8; 7] = [0, 0xc2, 4, 0, 1, 0, 0];
/// A routing header of type 2, with its end already reached.
const ROUTED: [u8; 7] = [0, 2, 0, 0, 0, 0, 0];
/// An authentication header of sixteen bytes.
const AUTHENTICATED: [u8; 15] = [2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 0];

pub(super) fn rows() -> Vec<Row> {
    let v6 = [passing(), refused()].concat();
    let v6 = v6.into_iter().map(|row| row.only(Family::V6));
    v6.chain(of_ipv4()).collect()
}

fn passing() -> Vec<Row> {
    table! {
        out  GOOD, "one": |at| chained(1, at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "eight": |at| chained(8, at.tcp(443, Syn)) => Pass RoleAllows;
        back GOOD, "eight": |at| chained(8, at.tcp_back(at.server, 443, Data)) => Pass RoleAllows;
        out  GOOD, "hop by hop": |at| extended(HOP_BY_HOP, &PADDING, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "routing": |at| extended(ROUTING, &ROUTED, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "authentication": |at| extended(AUTHENTICATION, &AUTHENTICATED, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "mobility": |at| extended(MOBILITY, &PADDING, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "a long one": |at| {
            extended(DESTINATION, &[&[31, 1, 0xf4][..], &[0; 252]].concat(), at.tcp(443, Syn))
        } => Pass RoleAllows;
        out  GOOD, "nothing behind": |at| at.raw(59, &[]) => Pass RoleAllows;
        out  GOOD, "nothing behind headers": |at| chained(2, at.raw(59, &[])) => Pass RoleAllows;
        out  GOOD, "in the order of the standard": |at| {
            let inner = extended(AUTHENTICATION, &AUTHENTICATED, at.tcp(443, Syn));
            extended(HOP_BY_HOP, &PADDING, extended(ROUTING, &ROUTED, inner))
        } => Pass RoleAllows;
        out  Nobody, "opens HTTPS behind routing": |at| {
            extended(ROUTING, &ROUTED, at.tcp(443, Syn))
        } => Pass FirstPacket;
        out  BAD, "asks behind hop by hop": |at| extended(HOP_BY_HOP, &PADDING, at.udp(53)) => Reject RoleDenies;
        out  BAD, "asks behind authentication": |at| {
            extended(AUTHENTICATION, &AUTHENTICATED, at.udp(53))
        } => Reject RoleDenies;
        out  BAD, "opens HTTPS behind authentication": |at| {
            extended(AUTHENTICATION, &AUTHENTICATED, at.tcp(443, Syn))
        } => Reject RoleDenies;
        out  BAD, "mends itself behind authentication": |at| {
            extended(AUTHENTICATION, &AUTHENTICATED, at.tcp_to(at.mender, 443, Syn))
        } => Pass RuleAllows;
        out  BAD, "asks the gateway's DNS behind headers": |at| {
            chained(2, at.udp_to(at.gateway, 53))
        } => Pass OwnService;
        back BAD, "gets data behind headers": |at| chained(2, at.tcp_back(at.server, 443, Data)) => Drop RoleDenies;
        out  BAD, "nothing behind": |at| at.raw(59, &[]) => Reject RoleDenies;
        out  BAD, "what is no header to walk": |at| at.raw(139, &[1; 8]) => Reject RoleDenies;
    }
}

fn refused() -> Vec<Row> {
    table! {
        out  GOOD, "nine": |at| chained(9, at.tcp(443, Syn)) => Drop TooDeep;
        back GOOD, "nine": |at| chained(9, at.tcp_back(at.server, 443, Syn)) => Drop TooDeep;
        out  Nobody, "nine": |at| chained(9, at.tcp(443, Syn)) => Drop TooDeep;
        out  GOOD, "nine of different kinds": |at| {
            extended(HOP_BY_HOP, &PADDING, chained(8, at.udp(53)))
        } => Drop TooDeep;
        out  GOOD, "beyond the packet": |at| {
            extended(DESTINATION, &[200, 1, 4, 0, 0, 0, 0], at.tcp(443, Syn))
        } => Drop Malformed;
        back GOOD, "beyond the packet": |at| {
            extended(DESTINATION, &[200, 1, 4, 0, 0, 0, 0], at.udp_back(at.server, 53))
        } => Drop Malformed;
        out  GOOD, "half of one": |at| of_protocol(DESTINATION, at.raw(200, &[59, 0, 1, 0])) => Drop Malformed;
        out  GOOD, "no UDP behind it": |at| {
            extended(DESTINATION, &PADDING, of_protocol(17, at.raw(200, &[0; 4])))
        } => Drop Malformed;
        out  GOOD, "authentication without its fields": |at| {
            extended(AUTHENTICATION, &[0; 7], at.udp(53))
        } => Drop Malformed;
        out  GOOD, "a jumbo option that says nothing": |at| extended(HOP_BY_HOP, &JUMBO, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "a jumbogram": |at| {
            let jumbo = extended(HOP_BY_HOP, &JUMBO, at.udp(53));
            lying(5, 0, jumbo)
        } => Drop Malformed;
        out  GOOD, "a length of nothing": |at| lying(5, 0, at.udp(53)) => Drop Malformed;
        out  BAD, "a length of one byte too much": |at| misjudged(1, chained(1, at.udp(53))) => Drop Malformed;
    }
}

fn of_ipv4() -> Vec<Row> {
    table! {
        out  GOOD, "authentication" in V4: |at| of_protocol(AUTHENTICATION, at.raw(200, &[0; 24])) => Pass RoleAllows;
        out  BAD, "authentication" in V4: |at| of_protocol(AUTHENTICATION, at.raw(200, &[0; 24])) => Reject RoleDenies;
        out  BAD, "authentication to the mender" in V4: |at| {
            of_protocol(AUTHENTICATION, at.raw_to(at.mender, 200, &[0; 24]))
        } => Reject RoleDenies;
        out  BAD, "a fragment header, which is none" in V4: |at| {
            of_protocol(44, at.raw(200, &[0; 24]))
        } => Reject RoleDenies;
        out  BAD, "destination options, which are none" in V4: |at| {
            of_protocol(DESTINATION, at.raw(200, &[6; 24]))
        } => Reject RoleDenies;
    }
}
