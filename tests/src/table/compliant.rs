//! Hosts that comply, and hosts that are not checked.

use super::{
    BAD, GOOD, GUEST,
    Known::{self, As, Bypassed, Outside},
    Row, WATCHED,
    alter::{padded, with_options},
    build::ports,
    table,
};
use crate::fixture::Tcp::*;
use enforcer_common::{packet::protocol::SCTP, role::RoleId};

const FREE: Known = As(RoleId::BYPASS);

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  GOOD, "opens HTTPS": |at| at.tcp(443, Syn) => Pass RoleAllows;
        out  GOOD, "sends data": |at| at.tcp(443, Data) => Pass RoleAllows;
        out  GOOD, "ends a flow": |at| at.tcp(443, Fin) => Pass RoleAllows;
        out  GOOD, "resets": |at| at.tcp(443, Reset) => Pass RoleAllows;
        out  GOOD, "opens HTTP, which is no portal's": |at| at.tcp(80, Syn) => Pass RoleAllows;
        out  GOOD, "opens the portal": |at| at.tcp_to(at.gateway, 8480, Syn) => Pass RoleAllows;
        back GOOD, "is answered by the portal": |at| at.tcp_back(at.gateway, 8480, Data) => Pass RoleAllows;
        back GOOD, "is answered": |at| at.tcp_back(at.server, 443, SynAck) => Pass RoleAllows;
        back GOOD, "gets data": |at| at.tcp_back(at.server, 443, Data) => Pass RoleAllows;
        back GOOD, "is called": |at| at.tcp_back(at.server, 9, Syn) => Pass RoleAllows;
        out  GOOD, "asks by UDP": |at| at.udp(53) => Pass RoleAllows;
        back GOOD, "is told by UDP": |at| at.udp_back(at.server, 53) => Pass RoleAllows;
        out  GOOD, "pings": |at| at.ping() => Pass RoleAllows;
        back GOOD, "is pinged": |at| at.ping_back(at.server) => Pass RoleAllows;
        out  GOOD, "speaks SCTP": |at| at.raw(SCTP, &ports(9, 5060)) => Pass RoleAllows;
        out  GOOD, "speaks an unknown protocol": |at| at.raw(200, &[]) => Pass RoleAllows;
        back GOOD, "is spoken to in an unknown protocol": |at| at.raw_back(200, &[]) => Pass RoleAllows;
        out  GOOD, "with padding": |at| padded(at.udp(7)) => Pass RoleAllows;
        out  GOOD, "a long datagram": |at| at.long_udp(1400) => Pass RoleAllows;
        out  GOOD, "one word of options" in V4: |at| with_options(1, at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "all options" in V4: |at| with_options(10, at.tcp(443, Syn)) => Pass RoleAllows;
        back GOOD, "all options" in V4: |at| with_options(10, at.udp_back(at.server, 53)) => Pass RoleAllows;

        out  FREE, "an exempt host opens HTTPS": |at| at.tcp(443, Syn) => Pass RoleAllows;
        back FREE, "an exempt host is called": |at| at.tcp_back(at.server, 9, Syn) => Pass RoleAllows;

        out  Bypassed, "opens HTTPS": |at| at.tcp(443, Syn) => Pass Bypassed;
        out  Bypassed, "pings": |at| at.ping() => Pass Bypassed;
        back Bypassed, "is told by UDP": |at| at.udp_back(at.server, 9) => Pass Bypassed;
        out  Outside, "opens HTTP": |at| at.tcp(80, Syn) => Pass Outside;
        out  Outside, "asks by UDP": |at| at.udp(53) => Pass Outside;
        back Outside, "is pinged": |at| at.ping_back(at.server) => Pass Outside;

        out  GUEST, "opens HTTPS": |at| at.tcp(443, Syn) => Pass RoleAllows;
        out  GUEST, "opens what a rule denies elsewhere": |at| at.tcp(22, Syn) => Pass RoleAllows;
        out  GUEST, "opens what a rule denies": |at| at.tcp_to(at.mender, 22, Syn) => Reject RuleDenies;
        out  GUEST, "the same port by UDP": |at| at.udp_to(at.mender, 22) => Pass RoleAllows;
        back GUEST, "gets data that a rule denies": |at| at.tcp_back(at.mender, 22, Data) => Drop RuleDenies;
        back GUEST, "gets data of another port": |at| at.tcp_back(at.mender, 23, Data) => Pass RoleAllows;
        out  GUEST, "SCTP that a rule denies": |at| at.raw_to(at.mender, SCTP, &ports(9, 5060)) => Reject RuleDenies;
        out  GUEST, "SCTP to another port": |at| at.raw_to(at.mender, SCTP, &ports(9, 5061)) => Pass RoleAllows;
        out  GUEST, "SCTP from that port": |at| at.raw_to(at.mender, SCTP, &ports(5060, 9)) => Pass RoleAllows;

        out  WATCHED, "would be rejected": |at| at.tcp(443, Syn) => Reject RoleDenies;
        out  WATCHED, "would be told": |at| at.udp(9) => Reject RoleDenies;
        out  WATCHED, "would be sent to the portal": |at| at.tcp(80, Syn) => Redirect RoleDenies;
        out  WATCHED, "would be dropped": |at| at.tcp(443, Reset) => Drop RoleDenies;
        back WATCHED, "would get nothing": |at| at.tcp_back(at.server, 443, Data) => Drop RoleDenies;

        out  BAD, "reaches the store": |at| at.tcp_to(at.store, 443, Syn) => Pass RuleAllows;
        out  BAD, "reaches the store by UDP": |at| at.udp_to(at.store, 9) => Pass RuleAllows;
        out  BAD, "speaks any protocol to the store": |at| at.raw_to(at.store, 200, &[]) => Pass RuleAllows;
        back BAD, "is reached by the store": |at| at.tcp_back(at.store, 9, Syn) => Pass RuleAllows;
    }
}
