//! Frames in VLANs. The bench allows 7, 7 in 7 (zone 0), 20 and 30 in 20 (zone 1).

use super::{
    BAD, DENIED, GOOD,
    Known::{InZone1, Nobody, Twice},
    Row,
    alter::{OLD_PROVIDER, PROVIDER, VLAN, cut, lying, tagged, vlan},
    build::{bpdu, bridges, of_type},
    table,
};
use crate::fixture::{HOST_MAC, Tcp::*, arp};
use enforcer_common::role::RoleId;

pub(super) fn rows() -> Vec<Row> {
    [allowed(), refused(), zones(), tagged_only()].concat()
}

fn allowed() -> Vec<Row> {
    table! {
        out  GOOD, "in one": |at| vlan(&[7], at.tcp(443, Syn)) => Pass RoleAllows;
        back GOOD, "in one": |at| vlan(&[7], at.tcp_back(at.server, 443, Data)) => Pass RoleAllows;
        out  GOOD, "in two": |at| vlan(&[7, 7], at.tcp(443, Syn)) => Pass RoleAllows;
        back GOOD, "in two": |at| vlan(&[7, 7], at.tcp_back(at.server, 443, Data)) => Pass RoleAllows;
        out  GOOD, "with a priority": |at| tagged(&[(VLAN, 0xe007)], at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "in none, with a priority": |at| tagged(&[(VLAN, 0xe000)], at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "in none, with two priorities": |at| vlan(&[0, 0], at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "in one, a priority around it": |at| vlan(&[0, 7], at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "in one, a priority inside": |at| vlan(&[7, 0], at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "in a provider's": |at| tagged(&[(PROVIDER, 7)], at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "in a provider's and one inside": |at| {
            tagged(&[(PROVIDER, 7), (VLAN, 7)], at.tcp(443, Syn))
        } => Pass RoleAllows;
        out  GOOD, "in a provider's of old": |at| {
            tagged(&[(OLD_PROVIDER, 7), (VLAN, 7)], at.udp(53))
        } => Pass RoleAllows;
    }
}

fn refused() -> Vec<Row> {
    table! {
        out  GOOD, "in another": |at| vlan(&[8], at.tcp(443, Syn)) => Drop Vlan;
        back GOOD, "in another": |at| vlan(&[8], at.tcp_back(at.server, 443, Data)) => Drop Vlan;
        out  DENIED, "in another": |at| vlan(&[8], at.tcp(443, Syn)) => Drop Vlan;
        out  Nobody, "in another": |at| vlan(&[8], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "in another, with a priority": |at| tagged(&[(VLAN, 0xe008)], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "in a provider's other": |at| tagged(&[(PROVIDER, 8)], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "another inside": |at| vlan(&[7, 8], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "hops": |at| vlan(&[8, 7], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "hops out of an allowed one": |at| vlan(&[7, 20], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "turned around": |at| vlan(&[30, 20], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "the inner alone": |at| vlan(&[30], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "in the last, which is none": |at| vlan(&[4095], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "a chain in another" in V6: |at| vlan(&[8], super::alter::chained(2, at.tcp(443, Syn))) => Drop Vlan;
        out  Nobody, "ARP in another" in V4: |at| vlan(&[8], arp(HOST_MAC, at.host, at.gateway)) => Drop Vlan;
        back Nobody, "ARP in another" in V4: |at| vlan(&[8], arp(HOST_MAC, at.gateway, at.host)) => Drop Vlan;
        out  Nobody, "EAPOL in another" in V4: |_| vlan(&[8], of_type(0x888e)) => Drop Vlan;
        back Nobody, "LLDP in another" in V4: |_| vlan(&[8], of_type(0x88cc)) => Drop Vlan;
        out  Nobody, "EAPOL in one" in V4: |_| vlan(&[7], of_type(0x888e)) => Pass Link;
        out  Nobody, "an unknown type in another" in V4: |_| vlan(&[8], of_type(0x88b5)) => Drop NotIp;
        out  GOOD, "malformed in another": |at| vlan(&[8], lying(0, 0x55, at.tcp(443, Syn))) => Drop Malformed;
        out  GOOD, "three": |at| vlan(&[7, 7, 7], at.tcp(443, Syn)) => Drop TooDeep;
        back GOOD, "three": |at| vlan(&[7, 7, 7], at.tcp_back(at.server, 443, Syn)) => Drop TooDeep;
        out  GOOD, "three of three types": |at| {
            tagged(&[(PROVIDER, 7), (OLD_PROVIDER, 7), (VLAN, 7)], at.udp(53))
        } => Drop TooDeep;
        out  GOOD, "three priorities": |at| vlan(&[0, 0, 0], at.tcp(443, Syn)) => Drop TooDeep;
        out  GOOD, "four": |at| vlan(&[7, 7, 7, 7], at.tcp(443, Syn)) => Drop TooDeep;
        out  GOOD, "a tag of no known type": |at| tagged(&[(0x9200, 7)], at.tcp(443, Syn)) => Drop NotIp;
        out  GOOD, "nothing inside" in V4: |at| vlan(&[7], cut(40, at.tcp(443, Syn))) => Drop Malformed;
    }
}

fn zones() -> Vec<Row> {
    table! {
        out  InZone1(RoleId::AUTHORIZED), "in a VLAN of its zone": |at| {
            vlan(&[20], at.tcp(443, Data))
        } => Pass RoleAllows;
        out  InZone1(RoleId::AUTHORIZED), "in a VLAN inside": |at| {
            vlan(&[20, 30], at.tcp(443, Data))
        } => Pass RoleAllows;
        back InZone1(RoleId::AUTHORIZED), "in a VLAN of its zone": |at| {
            vlan(&[20], at.tcp_back(at.server, 443, Data))
        } => Pass RoleAllows;
        out  InZone1(RoleId::AUTHORIZED), "in no VLAN": |at| at.tcp(443, Data) => Drop Held;
        out  InZone1(RoleId::AUTHORIZED), "in a VLAN of another zone": |at| vlan(&[7], at.tcp(443, Data)) => Drop Held;
        back InZone1(RoleId::AUTHORIZED), "in no VLAN": |at| at.tcp_back(at.server, 443, Data) => Drop NoAnswer;
        out  InZone1(RoleId::QUARANTINE), "opens HTTPS": |at| vlan(&[20], at.tcp(443, Syn)) => Reject RoleDenies;
        out  InZone1(RoleId::QUARANTINE), "asks by UDP in two": |at| vlan(&[20, 30], at.udp(53)) => Reject RoleDenies;
        out  InZone1(RoleId::QUARANTINE), "opens HTTP": |at| vlan(&[20], at.tcp(80, Syn)) => Redirect RoleDenies;
        out  InZone1(RoleId::QUARANTINE), "asks the gateway's DNS": |at| {
            vlan(&[20], at.udp_to(at.gateway, 53))
        } => Pass OwnService;
        out  Twice, "in no VLAN": |at| at.tcp(443, Syn) => Drop RoleDenies;
        out  Twice, "in a VLAN of zone 0": |at| vlan(&[7], at.tcp(443, Syn)) => Drop RoleDenies;
        out  Twice, "in a VLAN of zone 1": |at| vlan(&[20], at.tcp(443, Syn)) => Pass RoleAllows;
        back Twice, "in no VLAN": |at| at.udp_back(at.server, 53) => Drop RoleDenies;
        back Twice, "in a VLAN of zone 1": |at| vlan(&[20, 30], at.udp_back(at.server, 53)) => Pass RoleAllows;
        out  Nobody, "in a VLAN of zone 1": |at| vlan(&[20], at.tcp(443, Syn)) => Pass FirstPacket;
        out  GOOD, "in a VLAN of zone 1": |at| vlan(&[20], at.udp(53)) => Drop Held;
        out  BAD, "in a VLAN of zone 1": |at| vlan(&[20, 30], at.tcp(443, Syn)) => Pass FirstPacket;
    }
}

fn tagged_only() -> Vec<Row> {
    table! {
        out  GOOD, "in none" given TaggedOnly: |at| at.tcp(443, Syn) => Drop Vlan;
        back GOOD, "in none" given TaggedOnly: |at| at.tcp_back(at.server, 443, Data) => Drop Vlan;
        out  GOOD, "in none, with a priority" given TaggedOnly: |at| vlan(&[0], at.tcp(443, Syn)) => Drop Vlan;
        out  GOOD, "in one" given TaggedOnly: |at| vlan(&[7], at.tcp(443, Syn)) => Pass RoleAllows;
        out  Nobody, "ARP in none" in V4 given TaggedOnly: |at| arp(HOST_MAC, at.host, at.gateway) => Drop Vlan;
        out  Nobody, "ARP in one" in V4 given TaggedOnly: |at| {
            vlan(&[7], arp(HOST_MAC, at.host, at.gateway))
        } => Pass Link;
        out  Nobody, "spanning tree" in V4 given TaggedOnly: |_| bpdu(bridges(0)) => Pass Link;
        out  Nobody, "LLDP" in V4 given TaggedOnly: |_| of_type(0x88cc) => Pass Link;
    }
}
