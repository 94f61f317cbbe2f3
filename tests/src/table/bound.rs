//! Hosts that are bound to their MAC address: nobody else sends in their name.

use super::{
    Known::{self, Bound, BoundSilent},
    Row,
    alter::{by, chained, fragment, last_fragment, vlan},
    build::{NO_MAC, everybody},
    table,
};
use crate::fixture::{self, OTHER_MAC, Tcp::*};
use enforcer_common::role::RoleId;

const GOOD: Known = Bound(RoleId::AUTHORIZED);
const BAD: Known = Bound(RoleId::QUARANTINE);
const FREE: Known = Bound(RoleId::BYPASS);

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  GOOD, "opens HTTPS": |at| at.tcp(443, Syn) => Pass RoleAllows;
        out  GOOD, "asks by UDP": |at| at.udp(53) => Pass RoleAllows;
        out  GOOD, "in a VLAN of its zone": |at| vlan(&[7], at.tcp(443, Syn)) => Pass RoleAllows;
        out  GOOD, "another opens HTTPS": |at| by(OTHER_MAC, at.tcp(443, Syn)) => Drop Spoofed;
        out  GOOD, "another sends data": |at| by(OTHER_MAC, at.tcp(443, Data)) => Drop Spoofed;
        out  GOOD, "another asks by UDP": |at| by(OTHER_MAC, at.udp(53)) => Drop Spoofed;
        out  GOOD, "another pings": |at| by(OTHER_MAC, at.ping()) => Drop Spoofed;
        out  GOOD, "another tunnels": |at| by(OTHER_MAC, at.raw(47, &[0; 8])) => Drop Spoofed;
        out  GOOD, "nobody opens HTTPS": |at| by(NO_MAC, at.tcp(443, Syn)) => Drop Spoofed;
        out  GOOD, "one bit differs": |at| by([2, 0, 0, 0, 0, 0x11], at.tcp(443, Syn)) => Drop Spoofed;
        out  GOOD, "the first bit differs": |at| by([3, 0, 0, 0, 0, 0x10], at.tcp(443, Syn)) => Drop Spoofed;
        out  GOOD, "another's later fragment": |at| by(OTHER_MAC, last_fragment(90, at.udp(53))) => Drop Spoofed;
        out  GOOD, "another's first fragment": |at| by(OTHER_MAC, fragment(0, at.udp(53))) => Drop Spoofed;
        out  GOOD, "another's chain" in V6: |at| by(OTHER_MAC, chained(2, at.udp(53))) => Drop Spoofed;
        out  GOOD, "another in a VLAN of its zone": |at| by(OTHER_MAC, vlan(&[7], at.udp(53))) => Drop Spoofed;
        out  GOOD, "the same address in another zone": |at| {
            by(OTHER_MAC, vlan(&[20], at.tcp(443, Syn)))
        } => Pass FirstPacket;
        back GOOD, "gets data": |at| at.tcp_back(at.server, 443, Data) => Pass RoleAllows;

        out  FREE, "another in the name of an exempt host": |at| by(OTHER_MAC, at.tcp(443, Syn)) => Drop Spoofed;
        out  BAD, "opens HTTPS": |at| at.tcp(443, Syn) => Reject RoleDenies;
        out  BAD, "mends itself": |at| at.tcp_to(at.mender, 443, Syn) => Pass RuleAllows;
        out  BAD, "another mends itself": |at| by(OTHER_MAC, at.tcp_to(at.mender, 443, Syn)) => Drop Spoofed;
        out  BAD, "another is not told anything": |at| by(OTHER_MAC, at.tcp(443, Syn)) => Drop Spoofed;
        out  BAD, "another opens HTTP": |at| by(OTHER_MAC, at.tcp(80, Syn)) => Drop Spoofed;
        out  BAD, "another asks the gateway's DNS": |at| by(OTHER_MAC, at.udp_to(at.gateway, 53)) => Drop Spoofed;
        out  BAD, "another asks for its address by DHCP" in V4: |at| {
            by(OTHER_MAC, fixture::udp((at.host, 68).into(), (everybody(), 67).into(), &[1; 240]))
        } => Drop Spoofed;
        back BAD, "gets data": |at| at.tcp_back(at.server, 443, Data) => Drop RoleDenies;

        out  BoundSilent, "its source is silent": |at| at.tcp(443, Syn) => Reject LeaseExpired;
        out  BoundSilent, "its source is silent: another": |at| by(OTHER_MAC, at.tcp(443, Syn)) => Drop Spoofed;
    }
}
