//! Hosts of which nothing is decided.

use super::{
    Known::*,
    Row,
    alter::{chained, extended, fragment, last_fragment, padded, vlan, with_options},
    build::ports,
    table,
};
use crate::fixture::{self, Tcp::*};
use enforcer_common::packet::protocol::{ICMP, SCTP};

pub(super) fn rows() -> Vec<Row> {
    [first(), asked(), unanswered()].concat()
}

fn first() -> Vec<Row> {
    table! {
        out  Nobody, "opens HTTPS": |at| at.tcp(443, Syn) => Pass FirstPacket;
        out  Nobody, "opens HTTPS in a VLAN": |at| vlan(&[7], at.tcp(443, Syn)) => Pass FirstPacket;
        out  Nobody, "opens HTTPS with padding": |at| padded(at.tcp(443, Syn)) => Pass FirstPacket;
        out  Nobody, "opens HTTPS with options" in V4: |at| with_options(2, at.tcp(443, Syn)) => Pass FirstPacket;
        out  Nobody, "opens HTTPS behind headers" in V6: |at| chained(2, at.tcp(443, Syn)) => Pass FirstPacket;
        out  Nobody, "opens HTTPS in an atomic fragment" in V6: |at| {
            extended(44, &[0; 7], at.tcp(443, Syn))
        } => Pass FirstPacket;
        out  Nobody, "opens HTTPS above the limit of questions" given NoQuestions: |at| at.tcp(443, Syn) => Drop Held;
        out  Nobody, "opens with data": |at| {
            fixture::tcp((at.host, 9).into(), (at.server, 443).into(), Syn, b"data")
        } => Drop Held;
        out  Nobody, "answers a call": |at| at.tcp(443, SynAck) => Drop Held;
        out  Nobody, "goes on": |at| at.tcp(443, Data) => Drop Held;
        out  Nobody, "ends a flow": |at| at.tcp(443, Fin) => Drop Held;
        out  Nobody, "resets": |at| at.tcp(443, Reset) => Drop Held;
        out  Nobody, "asks by UDP": |at| at.udp(53) => Drop Held;
        out  Nobody, "pings": |at| at.ping() => Drop Held;
        out  Nobody, "a later fragment": |at| last_fragment(90, at.udp(53)) => Drop Held;
        out  Nobody, "asks by UDP first" given FirstDatagram: |at| at.udp(53) => Pass FirstPacket;
        out  Nobody, "speaks SCTP first" given FirstDatagram: |at| at.raw(SCTP, &ports(9, 9)) => Pass FirstPacket;
        out  Nobody, "pings first" given FirstDatagram: |at| at.ping() => Pass FirstPacket;
        out  Nobody, "a first fragment first" given FirstDatagram: |at| fragment(0, at.udp(53)) => Pass FirstPacket;
        out  Nobody, "a later fragment first" given FirstDatagram: |at| last_fragment(90, at.udp(53)) => Drop Held;
        out  Nobody, "goes on first" given FirstDatagram: |at| at.tcp(443, Data) => Drop Held;
        out  Nobody, "opens with data first" given FirstDatagram: |at| {
            fixture::tcp((at.host, 9).into(), (at.server, 443).into(), Syn, b"data")
        } => Drop Held;
        out  Nobody, "opens the portal": |at| at.tcp_to(at.gateway, 8480, Syn) => Pass OwnService;
        out  Nobody, "asks the gateway's DNS": |at| at.udp_to(at.gateway, 53) => Pass OwnService;
        back Nobody, "the gateway's DNS answers": |at| at.udp_back(at.gateway, 53) => Pass OwnService;
        back Nobody, "is called": |at| at.tcp_back(at.server, 9, Syn) => Drop NoAnswer;
        back Nobody, "is told by UDP": |at| at.udp_back(at.server, 53) => Drop NoAnswer;

        out  Ended, "was authorized until now": |at| at.tcp(443, Syn) => Pass FirstPacket;
        out  Ended, "goes on after its time": |at| at.tcp(443, Data) => Drop Held;
        back Ended, "gets data after its time": |at| at.tcp_back(at.server, 443, Data) => Drop NoAnswer;
    }
}

fn asked() -> Vec<Row> {
    table! {
        out  Asked, "opens again": |at| at.tcp(443, Syn) => Pass FirstPacket;
        out  Asked, "opens another flow": |at| at.tcp_to(at.mender, 22, Syn) => Pass FirstPacket;
        out  Asked, "opens again above the limit of questions" given NoQuestions: |at| {
            at.tcp(443, Syn)
        } => Pass FirstPacket;
        out  Asked, "opens HTTP": |at| at.tcp(80, Syn) => Pass FirstPacket;
        out  Asked, "opens with data": |at| {
            fixture::tcp((at.host, 9).into(), (at.server, 443).into(), Syn, b"data")
        } => Drop Held;
        out  Asked, "goes on": |at| at.tcp(443, Data) => Drop Held;
        out  Asked, "asks by UDP": |at| at.udp(53) => Drop Held;
        out  Asked, "asks by UDP second" given FirstDatagram: |at| at.udp(53) => Drop Held;
        out  Asked, "pings second" given FirstDatagram: |at| at.ping() => Drop Held;
        out  Asked, "asks the gateway's DNS": |at| at.udp_to(at.gateway, 53) => Pass OwnService;
        back Asked, "is answered too early": |at| at.tcp_back(at.server, 443, SynAck) => Drop Held;
        back Asked, "gets data too early": |at| at.tcp_back(at.server, 443, Data) => Drop Held;
        back Asked, "is pinged": |at| at.ping_back(at.server) => Drop Held;
        back Asked, "a destination is unreachable" in V4: |at| at.raw_back(ICMP, &[3; 36]) => Drop Held;
        back Asked, "the portal answers": |at| at.tcp_back(at.gateway, 8480, Data) => Pass OwnService;
    }
}

fn unanswered() -> Vec<Row> {
    table! {
        out  Unanswered, "opens in vain": |at| at.tcp(443, Syn) => Reject NoAnswer;
        out  Unanswered, "opens in vain above the limit of questions" given NoQuestions: |at| {
            at.tcp(443, Syn)
        } => Reject NoAnswer;
        out  Unanswered, "goes on in vain": |at| at.tcp(443, Data) => Reject NoAnswer;
        out  Unanswered, "opens HTTP in vain": |at| at.tcp(80, Syn) => Redirect NoAnswer;
        out  Unanswered, "asks in vain": |at| at.udp(53) => Reject NoAnswer;
        out  Unanswered, "asks in vain first" given FirstDatagram: |at| at.udp(53) => Reject NoAnswer;
        out  Unanswered, "pings in vain": |at| at.ping() => Reject NoAnswer;
        out  Unanswered, "a later fragment": |at| last_fragment(90, at.udp(53)) => Drop NoAnswer;
        back Unanswered, "is answered": |at| at.tcp_back(at.server, 443, SynAck) => Drop NoAnswer;
        back Unanswered, "is told by UDP": |at| at.udp_back(at.server, 53) => Drop NoAnswer;
    }
}
