//! Frames that carry no IP packet: what neighbours say to each other, and what nobody needs.

use enforcer_common::host::Family;

use super::{
    GOOD,
    Known::Nobody,
    Row,
    alter::{cut, to},
    build::{bpdu, bridges, llc, of_type, snap},
    table,
};
use crate::fixture::{GATEWAY_MAC, Tcp::*, frame};

/// Where Cisco's bridges speak to each other.
const CISCO: [u8; 6] = [1, 0, 0x0c, 0xcc, 0xcc, 0xcd];

pub(super) fn rows() -> Vec<Row> {
    let rows = [neighbours(), lengths(), others()].concat();
    rows.into_iter().map(|row| row.only(Family::V4)).collect()
}

fn neighbours() -> Vec<Row> {
    table! {
        out  Nobody, "EAPOL": |_| of_type(0x888e) => Pass Link;
        out  Nobody, "EAPOL to a neighbour": |_| to(bridges(3), of_type(0x888e)) => Pass Link;
        back Nobody, "EAPOL": |_| of_type(0x888e) => Pass Link;
        out  Nobody, "LLDP": |_| to(bridges(0x0e), of_type(0x88cc)) => Pass Link;
        back Nobody, "LLDP": |_| of_type(0x88cc) => Pass Link;
        out  Nobody, "LACP": |_| to(bridges(2), of_type(0x8809)) => Pass Link;
        back Nobody, "LACP": |_| to(bridges(2), of_type(0x8809)) => Pass Link;
        out  Nobody, "LACP to one": |_| of_type(0x8809) => Drop NotIp;
        out  Nobody, "LACP to others": |_| to(bridges(0x10), of_type(0x8809)) => Drop NotIp;
        out  Nobody, "spanning tree": |_| bpdu(bridges(0)) => Pass Link;
        back Nobody, "spanning tree": |_| bpdu(bridges(0)) => Pass Link;
        out  Nobody, "spanning tree of providers": |_| bpdu(bridges(8)) => Pass Link;
        out  Nobody, "spanning tree to the last of them": |_| bpdu(bridges(0x0f)) => Pass Link;
        out  Nobody, "spanning tree beyond them": |_| bpdu(bridges(0x10)) => Drop NotIp;
        out  Nobody, "spanning tree to one": |_| bpdu(GATEWAY_MAC) => Drop NotIp;
        out  Nobody, "spanning tree of Cisco": |at| snap(CISCO, &at.udp(9)) => Drop NotIp;
    }
}

fn lengths() -> Vec<Row> {
    table! {
        out  GOOD, "IP in 802.3": |at| snap(GATEWAY_MAC, &at.tcp(443, Syn)) => Drop NotIp;
        out  GOOD, "IP in 802.3 to bridges": |at| snap(bridges(0), &at.tcp(443, Syn)) => Drop NotIp;
        back GOOD, "IP in 802.3": |at| snap(GATEWAY_MAC, &at.tcp_back(at.server, 443, Data)) => Drop NotIp;
        out  Nobody, "IPX in 802.3": |_| llc(GATEWAY_MAC, 30, &[0xff; 30]) => Drop NotIp;
        out  Nobody, "NetBEUI": |_| llc(GATEWAY_MAC, 40, &[0xf0; 40]) => Drop NotIp;
        out  Nobody, "a length of nothing": |_| llc(bridges(0), 0, &[0x42, 0x42, 3]) => Drop NotIp;
        out  Nobody, "a length of half an LLC": |_| llc(bridges(0), 2, &[0x42, 0x42, 3]) => Drop NotIp;
        out  Nobody, "a length of an LLC": |_| llc(bridges(0), 3, &[0x42, 0x42, 3]) => Pass Link;
        out  Nobody, "a length beyond the frame": |_| llc(bridges(0), 47, &[0x42, 0x42, 3]) => Drop Malformed;
        back Nobody, "a length beyond the frame": |_| llc(bridges(0), 47, &[0x42, 0x42, 3]) => Drop Malformed;
        out  Nobody, "the greatest length": |_| llc(bridges(0), 1500, &[0x42; 1500]) => Drop NotIp;
        out  Nobody, "the greatest length, cut short": |_| llc(bridges(0), 1500, &[0x42; 1499]) => Drop Malformed;
        out  Nobody, "between lengths and types": |_| llc(bridges(0), 1501, &[0x42; 1501]) => Drop Malformed;
        out  Nobody, "the last between them": |_| llc(bridges(0), 1535, &[0x42; 1535]) => Drop Malformed;
        out  Nobody, "the first type": |_| of_type(1536) => Drop NotIp;
    }
}

fn others() -> Vec<Row> {
    table! {
        out  GOOD, "IPX": |_| of_type(0x8137) => Drop NotIp;
        out  GOOD, "MPLS": |_| of_type(0x8847) => Drop NotIp;
        out  GOOD, "MPLS to many": |_| of_type(0x8848) => Drop NotIp;
        out  GOOD, "PPPoE discovery": |_| of_type(0x8863) => Drop NotIp;
        out  GOOD, "PPPoE": |_| of_type(0x8864) => Drop NotIp;
        out  GOOD, "PPPoE in a VLAN": |_| super::alter::vlan(&[7], of_type(0x8864)) => Drop NotIp;
        out  GOOD, "RARP": |_| of_type(0x8035) => Drop NotIp;
        out  GOOD, "AppleTalk": |_| of_type(0x809b) => Drop NotIp;
        out  GOOD, "MACsec": |_| of_type(0x88e5) => Drop NotIp;
        out  GOOD, "PTP": |_| of_type(0x88f7) => Drop NotIp;
        out  GOOD, "batman": |_| of_type(0x4305) => Drop NotIp;
        out  GOOD, "transparent Ethernet": |_| of_type(0x6558) => Drop NotIp;
        out  GOOD, "NSH": |_| of_type(0x894f) => Drop NotIp;
        out  GOOD, "the last type": |_| of_type(0xffff) => Drop NotIp;
        back GOOD, "MPLS": |_| of_type(0x8847) => Drop NotIp;
        back GOOD, "an experiment": |_| of_type(0x88b5) => Drop NotIp;
        out  GOOD, "ARP without a body": |_| cut(46, of_type(0x0806)) => Drop Malformed;
        out  GOOD, "IPv4 without a body": |_| frame(0x0800, &[0; 46]) => Drop Malformed;
        out  GOOD, "IPv6 without a body": |_| frame(0x86dd, &[0; 46]) => Drop Malformed;
    }
}
