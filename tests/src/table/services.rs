//! What keeps the network running, for the least of hosts: one that is denied.

use std::net::{IpAddr, Ipv6Addr};

use enforcer_common::{
    decide::{
        Reason::{Link, Multicast, OwnService, RoleDenies},
        Verdict::{Drop, Pass},
    },
    role::RoleId,
};

use super::{
    Known, Place, Row,
    alter::{discovery, lying, tagged},
    back, out,
};
use crate::fixture::{self, frame};

pub(super) fn rows() -> Vec<Row> {
    [addresses(), discoveries(), links(), many()].concat()
}

pub(super) fn everybody() -> IpAddr {
    [255; 4].into()
}

pub(super) fn link_many(last: u16) -> IpAddr {
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, last).into()
}

fn dhcp(from: IpAddr, to: IpAddr) -> Vec<u8> {
    fixture::udp((from, 68).into(), (to, 67).into(), &[1; 240])
}

fn dhcpv6(at: &Place, to: IpAddr) -> Vec<u8> {
    fixture::udp((at.host, 546).into(), (to, 547).into(), &[1; 60])
}

fn addresses() -> Vec<Row> {
    let denied = Known::As(RoleId::DENIED);
    vec![
        out(
            "asks for an address",
            Known::Nobody,
            |_| dhcp([0; 4].into(), everybody()),
            Pass,
            OwnService,
        )
        .v4(),
        out(
            "asks to keep its address",
            denied,
            |at| dhcp(at.host, everybody()),
            Pass,
            OwnService,
        )
        .v4(),
        out(
            "DHCP to some server",
            denied,
            |at| dhcp(at.host, at.server),
            Drop,
            RoleDenies,
        )
        .v4(),
        out(
            "asks for an address",
            denied,
            |at| dhcpv6(at, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2).into()),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "DHCPv6 to some server",
            denied,
            |at| dhcpv6(at, at.server),
            Drop,
            RoleDenies,
        )
        .v6(),
    ]
}

fn discoveries() -> Vec<Row> {
    let denied = Known::As(RoleId::DENIED);
    vec![
        out(
            "looks for a neighbour",
            denied,
            |at| discovery(at.host, at.gateway, 135),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "looks for routers",
            denied,
            |at| discovery(at.host, link_many(2), 133),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "says who it is",
            denied,
            |at| discovery(at.host, at.gateway, 136),
            Pass,
            OwnService,
        )
        .v6(),
        back(
            "a neighbour looks for it",
            denied,
            |at| discovery(at.gateway, at.host, 135),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "discovery from beyond the link",
            denied,
            |at| lying(discovery(at.host, at.gateway, 135), 7, 254),
            Drop,
            RoleDenies,
        )
        .v6(),
        out(
            "plays the router",
            denied,
            |at| discovery(at.host, link_many(1), 134),
            Drop,
            RoleDenies,
        )
        .v6(),
        out(
            "redirects",
            denied,
            |at| discovery(at.host, at.gateway, 137),
            Drop,
            RoleDenies,
        )
        .v6(),
        back(
            "the router says who it is",
            denied,
            |at| discovery(at.gateway, at.host, 134),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "joins a group",
            denied,
            |at| lying(discovery(at.host, link_many(22), 143), 7, 1),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "joins a group far away",
            denied,
            |at| discovery(at.host, at.server, 143),
            Drop,
            RoleDenies,
        )
        .v6(),
        out(
            "joins a group",
            denied,
            |at| {
                fixture::raw(
                    at.host,
                    [224, 0, 0, 22].into(),
                    2,
                    &[0x22, 0, 0, 0, 0, 0, 0, 0],
                )
            },
            Pass,
            OwnService,
        )
        .v4(),
        out(
            "joins a group far away",
            denied,
            |at| fixture::raw(at.host, at.server, 2, &[0x22; 8]),
            Drop,
            RoleDenies,
        )
        .v4(),
    ]
}

fn links() -> Vec<Row> {
    let nobody = Known::Nobody;
    vec![
        out("ARP", nobody, |_| frame(0x0806, &[0; 28]), Pass, Link).v4(),
        back("ARP", nobody, |_| frame(0x0806, &[0; 28]), Pass, Link).v4(),
        out(
            "ARP behind a tag",
            nobody,
            |_| tagged(1, frame(0x0806, &[0; 28])),
            Pass,
            Link,
        )
        .v4(),
        out("EAPOL", nobody, |_| frame(0x888e, &[1; 4]), Pass, Link).v4(),
        out("LLDP", nobody, |_| frame(0x88cc, &[2; 20]), Pass, Link).v4(),
        back("LLDP", nobody, |_| frame(0x88cc, &[2; 20]), Pass, Link).v4(),
    ]
}

fn many() -> Vec<Row> {
    let nobody = Known::Nobody;
    vec![
        back(
            "the gateway speaks to all",
            nobody,
            |at| fixture::udp((at.gateway, 67).into(), (everybody(), 68).into(), &[2; 240]),
            Pass,
            Multicast,
        )
        .v4(),
        back(
            "the gateway speaks to many",
            nobody,
            |at| {
                fixture::udp(
                    (at.gateway, 9).into(),
                    (IpAddr::from([224, 0, 0, 251]), 9).into(),
                    b"",
                )
            },
            Pass,
            Multicast,
        )
        .v4(),
        back(
            "the gateway speaks to many",
            nobody,
            |at| fixture::udp((at.gateway, 9).into(), (link_many(1), 9).into(), b""),
            Pass,
            Multicast,
        )
        .v6(),
    ]
}
