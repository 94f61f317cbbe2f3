//! Packets whose lengths lie: here those of a host that complies.

use super::{
    BAD, GOOD,
    Known::{Bypassed, Nobody, Outside},
    Row,
    alter::{cut, lying, lying_behind, misjudged, of_protocol, padded, shortened, vlan},
    table,
};
use crate::fixture::Tcp::*;

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  GOOD, "cut short": |at| cut(1, at.tcp(443, Syn)) => Drop Malformed;
        back GOOD, "cut short": |at| cut(1, at.tcp_back(at.server, 443, Syn)) => Drop Malformed;
        out  GOOD, "cut short in a VLAN": |at| vlan(&[7], cut(1, at.tcp(443, Syn))) => Drop Malformed;
        out  GOOD, "cut in the IP header" in V4: |at| cut(21, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "cut in the IP header" in V6: |at| cut(21, at.tcp(443, Syn)) => Drop Malformed;
        out  Nobody, "cut short": |at| cut(1, at.tcp(443, Syn)) => Drop Malformed;
        out  Outside, "cut short": |at| cut(1, at.udp(53)) => Drop Malformed;
        out  Bypassed, "cut short": |at| cut(1, at.udp(53)) => Drop Malformed;
        out  BAD, "cut short": |at| cut(1, at.udp(53)) => Drop Malformed;
        out  GOOD, "version 5": |at| lying(0, 0x55, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "the other version" in V4: |at| lying(0, 0x65, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "the other version" in V6: |at| lying(0, 0x45, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "a header of four words" in V4: |at| lying(0, 0x44, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "a header of no words" in V4: |at| lying(0, 0x40, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "options beyond the packet" in V4: |at| lying(0, 0x4f, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "options in place of TCP" in V4: |at| lying(0, 0x47, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "longer than the frame": |at| misjudged(1, at.tcp(443, Syn)) => Drop Malformed;
        back GOOD, "longer than the frame": |at| misjudged(1, at.udp_back(at.server, 53)) => Drop Malformed;
        out  GOOD, "longer than the frame with its padding": |at| {
            misjudged(60, padded(at.tcp(443, Syn)))
        } => Drop Malformed;
        out  GOOD, "of the greatest length" in V4: |at| misjudged(i16::MAX, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "shorter than its header" in V4: |at| misjudged(-21, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "of no length" in V4: |at| misjudged(-40, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "of no length" in V6: |at| misjudged(-20, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "shorter than TCP": |at| misjudged(-1, at.tcp(443, Syn)) => Drop Malformed;
        back GOOD, "shorter than TCP": |at| misjudged(-1, at.tcp_back(at.server, 443, Syn)) => Drop Malformed;
        out  GOOD, "TCP of four words": |at| lying_behind(12, 0x40, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "TCP of no words": |at| lying_behind(12, 0, at.tcp(443, Syn)) => Drop Malformed;
        out  GOOD, "TCP options beyond the packet": |at| lying_behind(12, 0x70, at.tcp(443, Data)) => Drop Malformed;
        out  GOOD, "TCP options in place of the data": |at| {
            lying_behind(12, 0x60, at.tcp(443, Data))
        } => Pass RoleAllows;
        out  GOOD, "half of UDP": |at| of_protocol(17, at.raw(200, &[0; 7])) => Drop Malformed;
        out  GOOD, "half of SCTP": |at| of_protocol(132, at.raw(200, &[0; 7])) => Drop Malformed;
        out  GOOD, "half of ICMP" in V4: |at| of_protocol(1, at.raw(200, &[8; 7])) => Drop Malformed;
        out  GOOD, "half of ICMPv6" in V6: |at| of_protocol(58, at.raw(200, &[128; 7])) => Drop Malformed;
        out  GOOD, "no TCP at all": |at| of_protocol(6, at.raw(200, &[])) => Drop Malformed;
        out  GOOD, "TCP that padding completes": |at| padded(shortened(8, at.tcp(443, Syn))) => Drop Malformed;
        out  BAD, "TCP that padding completes": |at| padded(shortened(8, at.tcp(443, Syn))) => Drop Malformed;
    }
}
