//! Tunnels: the outer packet is judged, and no rule of a quarantined host opens what is inside.

use super::{
    BAD, DENIED, GOOD,
    Known::{Nobody, Unanswered},
    Place, Row, table,
};
use crate::fixture::GRE;

/// Protocols that carry others (IANA "Assigned Internet Protocol Numbers").
const IP_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;
const ESP: u8 = 50;
const L2TP: u8 = 115;

/// Ports of tunnels over UDP.
const OPENVPN: u16 = 1194;
const L2TP_PORT: u16 = 1701;
const GTP: u16 = 2152;
const TEREDO: u16 = 3544;
const IPSEC: u16 = 4500;
const VXLAN: u16 = 4789;
const GENEVE: u16 = 6081;
const GUE: u16 = 6080;
const WIREGUARD: u16 = 51_820;

/// A packet to the remediation server, which a host may reach, as what is carried.
fn inside(at: &Place) -> Vec<u8> {
    at.tcp_to(at.mender, 443, crate::fixture::Tcp::Syn)
        .split_off(14)
}

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  BAD, "IP in IP": |at| at.raw(IP_IN_IP, &inside(at)) => Reject RoleDenies;
        out  BAD, "IPv6 in IP": |at| at.raw(IPV6_IN_IP, &inside(at)) => Reject RoleDenies;
        out  BAD, "GRE": |at| at.raw(GRE, &[0; 8]) => Reject RoleDenies;
        out  BAD, "ESP": |at| at.raw(ESP, &[1; 24]) => Reject RoleDenies;
        out  BAD, "L2TP": |at| at.raw(L2TP, &[1; 24]) => Reject RoleDenies;
        out  BAD, "OpenVPN": |at| at.udp(OPENVPN) => Reject RoleDenies;
        out  BAD, "L2TP over UDP": |at| at.udp(L2TP_PORT) => Reject RoleDenies;
        out  BAD, "GTP": |at| at.udp(GTP) => Reject RoleDenies;
        out  BAD, "Teredo": |at| at.udp(TEREDO) => Reject RoleDenies;
        out  BAD, "IPsec over UDP": |at| at.udp(IPSEC) => Reject RoleDenies;
        out  BAD, "VXLAN": |at| at.udp(VXLAN) => Reject RoleDenies;
        out  BAD, "Geneve": |at| at.udp(GENEVE) => Reject RoleDenies;
        out  BAD, "GUE": |at| at.udp(GUE) => Reject RoleDenies;
        out  BAD, "WireGuard": |at| at.udp(WIREGUARD) => Reject RoleDenies;
        out  BAD, "IP in IP to the mender": |at| at.raw_to(at.mender, IP_IN_IP, &inside(at)) => Reject RoleDenies;
        out  BAD, "IPv6 in IP to the mender": |at| at.raw_to(at.mender, IPV6_IN_IP, &inside(at)) => Reject RoleDenies;
        out  BAD, "GRE to the mender": |at| at.raw_to(at.mender, GRE, &[0; 8]) => Reject RoleDenies;
        out  BAD, "ESP to the mender": |at| at.raw_to(at.mender, ESP, &[1; 24]) => Reject RoleDenies;
        out  BAD, "WireGuard to the mender": |at| at.udp_to(at.mender, WIREGUARD) => Reject RoleDenies;
        out  BAD, "GRE to the gateway": |at| at.raw_to(at.gateway, GRE, &[0; 8]) => Reject RoleDenies;
        back BAD, "IP in IP": |at| at.raw_back(IP_IN_IP, &inside(at)) => Drop RoleDenies;
        back BAD, "WireGuard": |at| at.udp_back(at.server, WIREGUARD) => Drop RoleDenies;
        out  DENIED, "IP in IP": |at| at.raw(IP_IN_IP, &inside(at)) => Drop RoleDenies;
        out  DENIED, "VXLAN": |at| at.udp(VXLAN) => Drop RoleDenies;
        out  Nobody, "GRE": |at| at.raw(GRE, &[0; 8]) => Drop Held;
        out  Nobody, "GRE first" given FirstDatagram: |at| at.raw(GRE, &[0; 8]) => Drop Held;
        out  Unanswered, "ESP": |at| at.raw(ESP, &[1; 24]) => Reject NoAnswer;
        out  GOOD, "IP in IP": |at| at.raw(IP_IN_IP, &inside(at)) => Pass RoleAllows;
        out  GOOD, "GRE": |at| at.raw(GRE, &[0; 8]) => Pass RoleAllows;
        out  GOOD, "WireGuard": |at| at.udp(WIREGUARD) => Pass RoleAllows;
        back GOOD, "ESP": |at| at.raw_back(ESP, &[1; 24]) => Pass RoleAllows;
    }
}
