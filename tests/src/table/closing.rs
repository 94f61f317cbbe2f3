//! Hosts that have only just lost a role that let them pass: their open flows are closed at both ends.

use super::{
    Known::{self, Closing, Told},
    Row,
    alter::{chained, fragment, last_fragment, padded, to, vlan, with_options},
    build::ALL_MACS,
    table,
};
use crate::fixture::Tcp::*;
use enforcer_common::role::RoleId;

const BAD: Known = Closing(RoleId::QUARANTINE);
const DENIED: Known = Closing(RoleId::DENIED);
const GOOD: Known = Closing(RoleId::AUTHORIZED);

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  BAD, "sends data": |at| at.tcp(443, Data) => Close RoleDenies;
        out  BAD, "sends the last data": |at| at.tcp(443, Fin) => Close RoleDenies;
        out  BAD, "sends data in a VLAN": |at| vlan(&[7], at.tcp(443, Data)) => Close RoleDenies;
        out  BAD, "sends data in two VLANs": |at| vlan(&[7, 7], at.tcp(443, Data)) => Close RoleDenies;
        out  BAD, "sends data with padding": |at| padded(at.tcp(443, Data)) => Close RoleDenies;
        out  BAD, "sends data with options" in V4: |at| with_options(10, at.tcp(443, Data)) => Close RuleDenies;
        out  BAD, "sends data behind headers" in V6: |at| chained(3, at.tcp(443, Data)) => Close RoleDenies;
        out  BAD, "sends a first fragment": |at| fragment(0, at.tcp(443, Data)) => Close RoleDenies;
        out  BAD, "sends a later fragment": |at| last_fragment(90, at.tcp(443, Data)) => Redirect RoleDenies but Drop;
        out  BAD, "sends data when enough was answered" given NoReplies: |at| {
            at.tcp(443, Data)
        } => Close RoleDenies but Drop;
        out  BAD, "acknowledges": |at| at.tcp(443, Ack) => Reject RoleDenies;
        out  BAD, "opens HTTPS": |at| at.tcp(443, Syn) => Reject RoleDenies;
        out  BAD, "answers a call": |at| at.tcp(443, SynAck) => Reject RoleDenies;
        out  BAD, "resets": |at| at.tcp(443, Reset) => Drop RoleDenies;
        out  BAD, "goes on with HTTP of before": |at| at.tcp(80, Data) => Redirect RoleDenies but Reject;
        out  BAD, "asks by UDP": |at| at.udp(53) => Reject RoleDenies;
        out  BAD, "sends data to the mender": |at| at.tcp_to(at.mender, 443, Data) => Pass RuleAllows;
        out  BAD, "sends data to many" in V4: |at| at.tcp_to([239, 1, 2, 3].into(), 443, Data) => Drop RoleDenies;

        back BAD, "gets data": |at| at.tcp_back(at.server, 443, Data) => Reject RoleDenies;
        back BAD, "gets data in a VLAN": |at| vlan(&[7], at.tcp_back(at.server, 443, Data)) => Reject RoleDenies;
        back BAD, "gets data behind headers" in V6: |at| {
            chained(2, at.tcp_back(at.server, 443, Data))
        } => Reject RoleDenies;
        back BAD, "gets an acknowledgement": |at| at.tcp_back(at.server, 443, Ack) => Reject RoleDenies;
        back BAD, "gets the last data": |at| at.tcp_back(at.server, 443, Fin) => Reject RoleDenies;
        back BAD, "gets data when enough was answered" given NoReplies: |at| {
            at.tcp_back(at.server, 443, Data)
        } => Reject RoleDenies but Drop;
        back BAD, "gets data in a frame for all": |at| {
            to(ALL_MACS, at.tcp_back(at.server, 443, Data))
        } => Reject RoleDenies but Drop;
        back BAD, "gets a later fragment": |at| last_fragment(90, at.tcp_back(at.server, 443, Data)) => Drop RoleDenies;
        back BAD, "is called": |at| at.tcp_back(at.server, 443, Syn) => Drop RoleDenies;
        back BAD, "is answered": |at| at.tcp_back(at.server, 443, SynAck) => Drop RoleDenies;
        back BAD, "is reset": |at| at.tcp_back(at.server, 443, Reset) => Drop RoleDenies;
        back BAD, "is told by UDP": |at| at.udp_back(at.server, 53) => Drop RoleDenies;
        back BAD, "the mender answers": |at| at.tcp_back(at.mender, 443, Data) => Pass RuleAllows;

        out  DENIED, "sends data": |at| at.tcp(443, Data) => Close RoleDenies;
        out  DENIED, "sends HTTP": |at| at.tcp(80, Data) => Close RoleDenies;
        out  DENIED, "acknowledges": |at| at.tcp(443, Ack) => Drop RoleDenies;
        out  DENIED, "opens HTTPS": |at| at.tcp(443, Syn) => Drop RoleDenies;
        back DENIED, "gets data": |at| at.tcp_back(at.server, 443, Data) => Reject RoleDenies;

        out  Told(RoleId::QUARANTINE), "sends the same again": |at| at.tcp(443, Data) => Reject RoleDenies;
        out  Told(RoleId::QUARANTINE), "sends data elsewhere": |at| at.tcp_to(at.mender, 22, Data) => Close RoleDenies;
        out  Told(RoleId::QUARANTINE), "sends data to another port": |at| at.tcp(22, Data) => Close RoleDenies;
        out  Told(RoleId::DENIED), "sends the same again": |at| at.tcp(443, Data) => Drop RoleDenies;
        back Told(RoleId::QUARANTINE), "gets data": |at| at.tcp_back(at.server, 443, Data) => Reject RoleDenies;

        out  GOOD, "complies again": |at| at.tcp(443, Data) => Pass RoleAllows;
        back GOOD, "complies again": |at| at.tcp_back(at.server, 443, Data) => Pass RoleAllows;
    }
}
