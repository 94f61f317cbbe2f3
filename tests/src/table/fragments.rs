//! Fragments: rules by port never match the later ones, and what cannot be whole is refused.

use super::{
    BAD, DENIED, GOOD, GUEST, Row,
    alter::{extended, fragment, last_fragment, lying, shortened, with_options},
    table,
};
use crate::fixture::Tcp::*;

pub(super) fn rows() -> Vec<Row> {
    [passing(), by_rules(), refused()].concat()
}

fn passing() -> Vec<Row> {
    table! {
        out  GOOD, "the first": |at| fragment(0, at.tcp(443, Data)) => Pass RoleAllows;
        out  GOOD, "one in between": |at| fragment(90, at.tcp(443, Data)) => Pass RoleAllows;
        out  GOOD, "the last": |at| last_fragment(90, at.tcp(443, Data)) => Pass RoleAllows;
        out  GOOD, "the last, of an uneven length": |at| last_fragment(90, shortened(3, at.udp(53))) => Pass RoleAllows;
        out  GOOD, "the first behind the TCP header": |at| fragment(3, at.tcp(443, Data)) => Pass RoleAllows;
        out  GOOD, "the first behind the UDP header": |at| last_fragment(1, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "a UDP header alone": |at| fragment(0, at.long_udp(0)) => Pass RoleAllows;
        out  GOOD, "the last that can be" in V4: |at| last_fragment(8187, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "the last that can be" in V6: |at| last_fragment(8189, at.udp(53)) => Pass RoleAllows;
        out  GOOD, "with options" in V4: |at| with_options(3, fragment(90, at.tcp(443, Data))) => Pass RoleAllows;
        out  GOOD, "atomic" in V6: |at| last_fragment(0, at.tcp(443, Data)) => Pass RoleAllows;
        out  GOOD, "atomic, and a true one" in V6: |at| {
            last_fragment(0, fragment(90, at.tcp(443, Data)))
        } => Pass RoleAllows;
        back GOOD, "the first": |at| fragment(0, at.udp_back(at.server, 53)) => Pass RoleAllows;
        back GOOD, "the last": |at| last_fragment(90, at.udp_back(at.server, 53)) => Pass RoleAllows;
    }
}

fn by_rules() -> Vec<Row> {
    table! {
        out  BAD, "the first to the mender": |at| fragment(0, at.tcp_to(at.mender, 443, Data)) => Pass RuleAllows;
        out  BAD, "a later one of TCP to the mender": |at| {
            fragment(90, at.tcp_to(at.mender, 443, Data))
        } => Redirect RoleDenies but Drop;
        out  BAD, "a later one of UDP to the mender": |at| fragment(90, at.udp_to(at.mender, 443)) => Drop RoleDenies;
        back BAD, "the first of the mender": |at| fragment(0, at.tcp_back(at.mender, 443, Data)) => Pass RuleAllows;
        back BAD, "a later one of the mender": |at| fragment(90, at.tcp_back(at.mender, 443, Data)) => Drop RoleDenies;
        out  BAD, "a later one to the store": |at| fragment(90, at.tcp_to(at.store, 443, Data)) => Pass RuleAllows;
        back BAD, "a later one of the store": |at| fragment(90, at.udp_back(at.store, 9)) => Pass RuleAllows;
        out  BAD, "the first": |at| fragment(0, at.udp(53)) => Reject RoleDenies;
        out  BAD, "the first of a ping": |at| fragment(0, shortened(4, at.ping())) => Reject RoleDenies;
        out  BAD, "the first of TCP": |at| fragment(0, at.tcp(443, Data)) => Reject RoleDenies;
        out  BAD, "atomic" in V6: |at| last_fragment(0, at.tcp(443, Data)) => Reject RoleDenies;
        out  BAD, "the last": |at| last_fragment(90, at.udp(53)) => Drop RoleDenies;
        out  BAD, "a later one of the gateway's DNS": |at| {
            last_fragment(90, at.udp_to(at.gateway, 53))
        } => Drop RoleDenies;
        out  DENIED, "the last": |at| last_fragment(90, at.tcp(443, Data)) => Drop RoleDenies;
        out  GUEST, "the first that a rule denies": |at| {
            fragment(0, at.tcp_to(at.mender, 22, Data))
        } => Reject RuleDenies;
        out  GUEST, "a later one of what a rule denies": |at| {
            fragment(90, at.tcp_to(at.mender, 22, Data))
        } => Pass RoleAllows;
        back GUEST, "a later one of what a rule denies": |at| {
            fragment(90, at.tcp_back(at.mender, 22, Data))
        } => Pass RoleAllows;
    }
}

fn refused() -> Vec<Row> {
    table! {
        out  GOOD, "overwrites TCP's ports": |at| fragment(1, at.tcp(443, Data)) => Drop Malformed;
        out  GOOD, "overwrites TCP's flags": |at| last_fragment(2, at.tcp(443, Data)) => Drop Malformed;
        back GOOD, "overwrites TCP's flags": |at| last_fragment(2, at.tcp_back(at.server, 443, Data)) => Drop Malformed;
        out  GOOD, "the first, of an uneven length": |at| fragment(0, shortened(1, at.udp(53))) => Drop Malformed;
        out  GOOD, "a later one, of an uneven length": |at| fragment(90, shortened(4, at.udp(53))) => Drop Malformed;
        out  GOOD, "the first, without all of TCP": |at| fragment(0, shortened(8, at.tcp(443, Data))) => Drop Malformed;
        out  GOOD, "the first, without TCP's flags": |at| {
            fragment(0, shortened(16, at.tcp(443, Data)))
        } => Drop Malformed;
        out  GOOD, "ping of death" in V4: |at| last_fragment(8189, at.ping()) => Drop Malformed;
        out  GOOD, "ping of death" in V6: |at| last_fragment(8191, at.ping()) => Drop Malformed;
        out  GOOD, "ping of death by its options" in V4: |at| {
            with_options(10, last_fragment(8185, at.ping()))
        } => Drop Malformed;
        back GOOD, "ping of death": |at| last_fragment(8191, at.ping_back(at.server)) => Drop Malformed;
        out  GOOD, "the first, without the end of its chain" in V6: |at| {
            fragment(0, shortened(24, extended(60, &[0, 1, 4, 0, 0, 0, 0], at.tcp(443, Data))))
        } => Drop Malformed;
        out  GOOD, "the first, with less than its chain says" in V6: |at| {
            fragment(0, extended(60, &[9, 1, 4, 0, 0, 0, 0], at.tcp(443, Data)))
        } => Drop Malformed;
        out  GOOD, "of a fragment" in V6: |at| fragment(0, fragment(0, at.tcp(443, Data))) => Drop Malformed;
        out  GOOD, "a fragment's header without its end" in V6: |at| {
            lying(6, 44, shortened(8, at.raw(200, &[0; 12])))
        } => Drop Malformed;
        out  BAD, "overwrites TCP's ports": |at| fragment(1, at.tcp(443, Data)) => Drop Malformed;
    }
}
