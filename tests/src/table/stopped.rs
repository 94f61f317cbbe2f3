//! Hosts that do not comply: what they still reach, and how the rest is stopped.

use super::{
    BAD, DENIED,
    Known::{Silent, Unanswered},
    Row,
    alter::{chained, lying, padded, to, vlan, with_options},
    build::{ALL_MACS, ports},
    table,
};
use crate::fixture::Tcp::*;
use enforcer_common::packet::protocol::{ICMP, ICMPV6, SCTP};

pub(super) fn rows() -> Vec<Row> {
    [
        reached(),
        rejected(),
        answered_by_icmp(),
        denied(),
        silent(),
    ]
    .concat()
}

fn reached() -> Vec<Row> {
    table! {
        out  BAD, "mends itself": |at| at.tcp_to(at.mender, 443, Syn) => Pass RuleAllows;
        out  BAD, "sends to the mender": |at| at.tcp_to(at.mender, 443, Data) => Pass RuleAllows;
        out  BAD, "mends itself behind headers" in V6: |at| {
            chained(1, at.tcp_to(at.mender, 443, Syn))
        } => Pass RuleAllows;
        out  BAD, "mends itself with options" in V4: |at| {
            with_options(2, at.tcp_to(at.mender, 443, Syn))
        } => Reject RuleDenies;
        back BAD, "the mender answers": |at| at.tcp_back(at.mender, 443, Data) => Pass RuleAllows;
        out  BAD, "another port there": |at| at.tcp_to(at.mender, 22, Syn) => Reject RoleDenies;
        out  BAD, "another protocol there": |at| at.udp_to(at.mender, 443) => Reject RoleDenies;
        out  BAD, "the same port by SCTP": |at| at.raw_to(at.mender, SCTP, &ports(9, 443)) => Reject RoleDenies;
        back BAD, "the mender's other port": |at| at.tcp_back(at.mender, 22, Data) => Drop RoleDenies;
        back BAD, "the mender by UDP": |at| at.udp_back(at.mender, 443) => Drop RoleDenies;
        out  BAD, "asks the gateway's DNS": |at| at.udp_to(at.gateway, 53) => Pass OwnService;
        back BAD, "the gateway's DNS answers": |at| at.udp_back(at.gateway, 53) => Pass OwnService;
        out  BAD, "asks the gateway's DNS by TCP": |at| at.tcp_to(at.gateway, 53, Syn) => Reject RoleDenies;
        out  BAD, "logs in to the gateway": |at| at.tcp_to(at.gateway, 22, Syn) => Reject RoleDenies;
    }
}

fn rejected() -> Vec<Row> {
    table! {
        out  BAD, "opens HTTPS": |at| at.tcp(443, Syn) => Reject RoleDenies;
        out  BAD, "opens HTTPS in a VLAN": |at| vlan(&[7], at.tcp(443, Syn)) => Reject RoleDenies;
        out  BAD, "opens HTTPS in two VLANs": |at| vlan(&[7, 7], at.tcp(443, Syn)) => Reject RoleDenies;
        out  BAD, "opens HTTPS with padding": |at| padded(at.tcp(443, Syn)) => Reject RoleDenies;
        out  BAD, "opens HTTPS with options" in V4: |at| with_options(10, at.tcp(443, Syn)) => Reject RuleDenies;
        out  BAD, "opens HTTPS behind headers" in V6: |at| chained(8, at.tcp(443, Syn)) => Reject RoleDenies;
        out  BAD, "goes on with HTTPS": |at| at.tcp(443, Data) => Reject RoleDenies;
        out  BAD, "goes on with HTTPS behind headers" in V6: |at| chained(1, at.tcp(443, Data)) => Reject RoleDenies;
        out  BAD, "acknowledges": |at| at.tcp(443, Ack) => Reject RoleDenies;
        out  BAD, "ends a flow": |at| at.tcp(443, Fin) => Reject RoleDenies;
        out  BAD, "answers a call": |at| at.tcp(443, SynAck) => Reject RoleDenies;
        out  BAD, "resets": |at| at.tcp(443, Reset) => Drop RoleDenies;
        out  BAD, "opens HTTPS in a frame for all": |at| to(ALL_MACS, at.tcp(443, Syn)) => Reject RoleDenies but Drop;
        out  BAD, "opens HTTPS when enough was answered" given NoReplies: |at| {
            at.tcp(443, Syn)
        } => Reject RoleDenies but Drop;
        back BAD, "gets data": |at| at.tcp_back(at.server, 443, Data) => Drop RoleDenies;
        back BAD, "is called": |at| at.tcp_back(at.server, 9, Syn) => Drop RoleDenies;
        back BAD, "is told by UDP": |at| at.udp_back(at.server, 53) => Drop RoleDenies;
        back BAD, "is pinged": |at| at.ping_back(at.server) => Drop RoleDenies;
    }
}

/// What is not TCP is answered by an ICMP error, unless it is one itself.
fn answered_by_icmp() -> Vec<Row> {
    table! {
        out  BAD, "QUIC": |at| at.udp(443) => Reject RoleDenies;
        out  BAD, "QUIC in a VLAN": |at| vlan(&[7], at.udp(443)) => Reject RoleDenies;
        out  BAD, "QUIC in two VLANs": |at| vlan(&[7, 7], at.udp(443)) => Reject RoleDenies;
        out  BAD, "QUIC with padding": |at| padded(at.udp(443)) => Reject RoleDenies;
        out  BAD, "QUIC with options" in V4: |at| with_options(10, at.udp(443)) => Reject RuleDenies;
        out  BAD, "QUIC behind headers" in V6: |at| chained(8, at.udp(443)) => Reject RoleDenies;
        out  BAD, "an empty datagram": |at| at.long_udp(0) => Reject RoleDenies;
        out  BAD, "an odd datagram": |at| at.long_udp(7) => Reject RoleDenies;
        out  BAD, "the longest that is quoted whole" in V4: |at| at.long_udp(520) => Reject RoleDenies;
        out  BAD, "the longest that is quoted whole" in V6: |at| at.long_udp(1184) => Reject RoleDenies;
        out  BAD, "one byte more" in V4: |at| at.long_udp(521) => Reject RoleDenies;
        out  BAD, "one byte more" in V6: |at| at.long_udp(1185) => Reject RoleDenies;
        out  BAD, "a long datagram": |at| at.long_udp(1400) => Reject RoleDenies;
        out  BAD, "a long datagram in two VLANs": |at| vlan(&[7, 7], at.long_udp(1400)) => Reject RoleDenies;
        out  BAD, "SCTP": |at| at.raw(SCTP, &ports(9, 9)) => Reject RoleDenies;
        out  BAD, "an unknown protocol": |at| at.raw(200, &[7; 5]) => Reject RoleDenies;
        out  BAD, "nothing in IP": |at| at.raw(200, &[]) => Reject RoleDenies;
        out  BAD, "pings": |at| at.ping() => Reject RoleDenies;
        out  BAD, "QUIC in a frame for all": |at| to(ALL_MACS, at.udp(443)) => Reject RoleDenies but Drop;
        out  BAD, "QUIC in a frame for many": |at| to([1, 0, 0x5e, 0, 0, 9], at.udp(443)) => Reject RoleDenies but Drop;
        out  BAD, "QUIC when enough was answered" given NoReplies: |at| at.udp(443) => Reject RoleDenies but Drop;
        out  BAD, "a destination is unreachable" in V4: |at| at.raw(ICMP, &[3; 36]) => Drop RoleDenies;
        out  BAD, "a source is quenched" in V4: |at| at.raw(ICMP, &[4; 36]) => Drop RoleDenies;
        out  BAD, "a redirect" in V4: |at| at.raw(ICMP, &[5; 36]) => Drop RoleDenies;
        out  BAD, "a time is exceeded" in V4: |at| at.raw(ICMP, &[11; 36]) => Drop RoleDenies;
        out  BAD, "a parameter is a problem" in V4: |at| at.raw(ICMP, &[12; 36]) => Drop RoleDenies;
        out  BAD, "answers a ping" in V4: |at| at.raw(ICMP, &[0; 36]) => Reject RoleDenies;
        out  BAD, "a destination is unreachable" in V6: |at| at.raw(ICMPV6, &[1; 56]) => Drop RoleDenies;
        out  BAD, "a packet is too big" in V6: |at| at.raw(ICMPV6, &[2; 56]) => Drop RoleDenies;
        out  BAD, "a time is exceeded" in V6: |at| at.raw(ICMPV6, &[3; 56]) => Drop RoleDenies;
        out  BAD, "a parameter is a problem" in V6: |at| at.raw(ICMPV6, &[4; 56]) => Drop RoleDenies;
        out  BAD, "an error of the future" in V6: |at| at.raw(ICMPV6, &[127; 56]) => Drop RoleDenies;
        out  BAD, "answers a ping" in V6: |at| at.raw(ICMPV6, &[129; 56]) => Reject RoleDenies;
        back BAD, "a destination is unreachable" in V4: |at| at.raw_back(ICMP, &[3; 36]) => Drop RoleDenies;
    }
}

fn denied() -> Vec<Row> {
    table! {
        out  DENIED, "opens HTTPS": |at| at.tcp(443, Syn) => Drop RoleDenies;
        out  DENIED, "opens HTTP": |at| at.tcp(80, Syn) => Drop RoleDenies;
        out  DENIED, "goes on": |at| at.tcp(443, Data) => Drop RoleDenies;
        out  DENIED, "asks by UDP": |at| at.udp(53) => Drop RoleDenies;
        out  DENIED, "pings": |at| at.ping() => Drop RoleDenies;
        out  DENIED, "would mend itself": |at| at.tcp_to(at.mender, 443, Syn) => Drop RoleDenies;
        back DENIED, "gets data": |at| at.tcp_back(at.server, 443, Data) => Drop RoleDenies;
        out  DENIED, "asks the gateway's DNS": |at| at.udp_to(at.gateway, 53) => Pass OwnService;
        back DENIED, "the gateway's DNS answers": |at| at.udp_back(at.gateway, 53) => Pass OwnService;
        out  DENIED, "pings the gateway": |at| {
            at.raw_to(at.gateway, if at.host.is_ipv4() { ICMP } else { ICMPV6 }, &[128; 8])
        } => Drop RoleDenies;
        back DENIED, "DNS of somebody": |at| at.udp_back(at.server, 53) => Drop RoleDenies;
    }
}

fn silent() -> Vec<Row> {
    table! {
        out  Silent, "opens HTTPS": |at| at.tcp(443, Syn) => Reject LeaseExpired;
        out  Silent, "goes on": |at| at.tcp(443, Data) => Reject LeaseExpired;
        out  Silent, "opens HTTP": |at| at.tcp(80, Syn) => Redirect LeaseExpired;
        out  Silent, "asks by UDP": |at| at.udp(9) => Reject LeaseExpired;
        out  Silent, "pings": |at| at.ping() => Reject LeaseExpired;
        out  Silent, "resets": |at| at.tcp(443, Reset) => Drop LeaseExpired;
        back Silent, "gets data": |at| at.tcp_back(at.server, 443, Data) => Drop LeaseExpired;
        out  Silent, "asks the gateway's DNS": |at| at.udp_to(at.gateway, 53) => Pass OwnService;
        out  Silent, "lies all the same" in V4: |at| lying(0, 0x44, at.tcp(443, Syn)) => Drop Malformed;
        out  Unanswered, "asks the gateway's DNS": |at| at.udp_to(at.gateway, 53) => Pass OwnService;
    }
}
