//! HTTP of stopped hosts goes to the portal.

use super::{
    BAD,
    Known::{AskingPortal, OnPortal, OnPortalDirectly},
    Row,
    alter::{chained, fragment, last_fragment, of_another, padded, vlan, with_options},
    table,
};
use crate::{fixture::Tcp::*, gate::PORTAL};

pub(super) fn rows() -> Vec<Row> {
    table! {
        out  BAD, "opens HTTP": |at| at.tcp(80, Syn) => Redirect RoleDenies;
        out  BAD, "opens HTTP in a VLAN": |at| vlan(&[7], at.tcp(80, Syn)) => Redirect RoleDenies;
        out  BAD, "opens HTTP in two VLANs": |at| vlan(&[7, 7], at.tcp(80, Syn)) => Redirect RoleDenies;
        out  BAD, "opens HTTP with padding": |at| padded(at.tcp(80, Syn)) => Redirect RoleDenies;
        out  BAD, "opens HTTP with options" in V4: |at| with_options(10, at.tcp(80, Syn)) => Reject RuleDenies;
        out  BAD, "opens HTTP behind headers" in V6: |at| chained(1, at.tcp(80, Syn)) => Redirect RoleDenies;
        out  BAD, "opens HTTP at the mender": |at| at.tcp_to(at.mender, 80, Syn) => Redirect RoleDenies;
        out  BAD, "opens HTTP without a portal" given NoPortal: |at| at.tcp(80, Syn) => Redirect RoleDenies but Reject;
        out  BAD, "opens HTTP when enough was answered" given NoReplies: |at| at.tcp(80, Syn) => Redirect RoleDenies but Drop;
        out  BAD, "goes on with HTTP of before": |at| at.tcp(80, Data) => Redirect RoleDenies but Reject;
        out  BAD, "goes on when enough was answered" given NoReplies: |at| {
            at.tcp(80, Data)
        } => Redirect RoleDenies but Drop;
        out  BAD, "resets HTTP of before": |at| at.tcp(80, Reset) => Redirect RoleDenies but Drop;
        out  BAD, "answers from nowhere": |at| at.tcp(80, SynAck) => Redirect RoleDenies but Reject;
        out  BAD, "HTTP by UDP": |at| at.udp(80) => Reject RoleDenies;

        out  OnPortal, "opens it once more": |at| at.tcp(80, Syn) => Redirect RoleDenies;
        out  OnPortal, "asks": |at| at.tcp(80, Data) => Redirect RoleDenies;
        out  OnPortal, "asks in a VLAN": |at| vlan(&[7], at.tcp(80, Data)) => Redirect RoleDenies;
        out  OnPortal, "acknowledges": |at| at.tcp(80, Ack) => Redirect RoleDenies;
        out  OnPortal, "ends it": |at| at.tcp(80, Fin) => Redirect RoleDenies;
        out  OnPortal, "resets it": |at| at.tcp(80, Reset) => Redirect RoleDenies;
        out  OnPortal, "the same port elsewhere": |at| at.tcp_to(at.mender, 80, Data) => Redirect RoleDenies but Reject;
        out  OnPortal, "asks in a first fragment": |at| fragment(0, at.tcp(80, Data)) => Redirect RoleDenies;
        out  OnPortal, "a later fragment before the first": |at| {
            last_fragment(3, at.tcp(80, Data))
        } => Redirect RoleDenies but Drop;
        out  AskingPortal, "the last fragment": |at| last_fragment(3, at.tcp(80, Data)) => Redirect RoleDenies;
        out  AskingPortal, "a fragment in between": |at| fragment(3, at.tcp(80, Data)) => Redirect RoleDenies;
        out  AskingPortal, "a fragment of something else": |at| {
            of_another(last_fragment(3, at.tcp(80, Data)))
        } => Redirect RoleDenies but Drop;
        out  AskingPortal, "a fragment to somebody else": |at| {
            last_fragment(3, at.tcp_to(at.mender, 80, Data))
        } => Redirect RoleDenies but Drop;
        out  AskingPortal, "a fragment of UDP": |at| last_fragment(3, at.udp(80)) => Drop RoleDenies;
        out  AskingPortal, "a fragment that overwrites the header": |at| {
            fragment(2, at.tcp(80, Data))
        } => Drop Malformed;

        back OnPortal, "the portal accepts": |at| at.tcp_back(at.gateway, PORTAL, SynAck) => Pass OwnService;
        back OnPortal, "the portal answers": |at| at.tcp_back(at.gateway, PORTAL, Data) => Pass OwnService;
        back OnPortal, "the portal answers in a VLAN": |at| {
            vlan(&[7], at.tcp_back(at.gateway, PORTAL, Data))
        } => Pass OwnService;
        back OnPortal, "the portal resets": |at| at.tcp_back(at.gateway, PORTAL, Reset) => Pass OwnService;
        back OnPortal, "the server itself answers": |at| at.tcp_back(at.server, 80, Data) => Drop RoleDenies;

        out  BAD, "opens the portal itself": |at| at.tcp_to(at.gateway, PORTAL, Syn) => Pass OwnService;
        back BAD, "the portal itself answers": |at| at.tcp_back(at.gateway, PORTAL, Data) => Pass OwnService;
        back OnPortalDirectly, "the portal itself answers": |at| {
            at.tcp_back(at.gateway, PORTAL, Data)
        } => Pass OwnService;
    }
}
