//! To many and to all.

use std::net::IpAddr;

use super::{
    BAD, DENIED, GOOD,
    Known::{Bypassed, Closing, Nobody, Unanswered},
    Row,
    build::{everybody, link_many},
    table,
};
use crate::fixture::{self, Tcp::*};
use enforcer_common::role::RoleId;

fn group() -> IpAddr {
    [239, 1, 2, 3].into()
}

fn group_v6() -> IpAddr {
    [0xff05, 0, 0, 0, 0, 0, 0, 9].into()
}

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  GOOD, "to a group" in V4: |at| at.udp_to(group(), 5004) => Pass RoleAllows;
        out  GOOD, "to a group" in V6: |at| at.udp_to(group_v6(), 5004) => Pass RoleAllows;
        out  GOOD, "to all" in V4: |at| at.udp_to(everybody(), 9) => Pass RoleAllows;
        out  Bypassed, "to a group" in V4: |at| at.udp_to(group(), 5004) => Pass Bypassed;
        out  BAD, "UDP to a group" in V4: |at| at.udp_to(group(), 5004) => Drop RoleDenies;
        out  BAD, "UDP to a group" in V6: |at| at.udp_to(group_v6(), 5004) => Drop RoleDenies;
        out  BAD, "UDP to all" in V4: |at| at.udp_to(everybody(), 9) => Drop RoleDenies;
        out  BAD, "looks for a printer" in V4: |at| at.udp_to([224, 0, 0, 251].into(), 5353) => Drop RoleDenies;
        out  BAD, "looks for a printer" in V6: |at| at.udp_to(link_many(0xfb), 5353) => Drop RoleDenies;
        out  BAD, "TCP to a group" in V4: |at| at.tcp_to([224, 0, 0, 9].into(), 443, Syn) => Drop RoleDenies;
        out  BAD, "HTTP to a group" in V4: |at| at.tcp_to(group(), 80, Syn) => Drop RoleDenies;
        out  BAD, "HTTP to a group" in V6: |at| at.tcp_to(group_v6(), 80, Syn) => Drop RoleDenies;
        out  BAD, "pings a group" in V4: |at| fixture::ping(at.host, group()) => Drop RoleDenies;
        out  BAD, "pings a group" in V6: |at| fixture::ping(at.host, group_v6()) => Drop RoleDenies;
        out  BAD, "to all of a far network" in V4: |at| at.udp_to([192, 0, 2, 255].into(), 9) => Reject RoleDenies;
        out  DENIED, "looks for a printer" in V4: |at| at.udp_to([224, 0, 0, 251].into(), 5353) => Drop RoleDenies;
        out  Nobody, "looks for a printer" in V4: |at| at.udp_to([224, 0, 0, 251].into(), 5353) => Drop Held;
        out  Unanswered, "looks for a printer" in V4: |at| at.udp_to([224, 0, 0, 251].into(), 5353) => Drop NoAnswer;
        out  Unanswered, "TCP to a group" in V4: |at| at.tcp_to(group(), 443, Syn) => Drop NoAnswer;
        out  Closing(RoleId::QUARANTINE), "data to all" in V4: |at| {
            at.tcp_to(everybody(), 443, Data)
        } => Drop RoleDenies;
        back Nobody, "the gateway offers addresses to all" in V4: |at| {
            fixture::udp((at.gateway, 67).into(), (everybody(), 68).into(), &[2; 240])
        } => Pass Multicast;
        back Nobody, "the gateway speaks to many" in V4: |at| {
            fixture::udp((at.gateway, 9).into(), (IpAddr::from([224, 0, 0, 251]), 9).into(), b"")
        } => Pass Multicast;
        back Nobody, "the gateway speaks to many" in V6: |at| {
            fixture::udp((at.gateway, 9).into(), (link_many(1), 9).into(), b"")
        } => Pass Multicast;
        back Nobody, "a group of others" in V4: |at| {
            fixture::udp((at.server, 9).into(), (group(), 9).into(), b"")
        } => Pass Multicast;
        back Nobody, "a group of others" in V6: |at| {
            fixture::udp((at.server, 9).into(), (group_v6(), 9).into(), b"")
        } => Pass Multicast;
    }
}
