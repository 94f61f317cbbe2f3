//! Source addresses that no host may have.

use std::net::{IpAddr, Ipv6Addr};

use enforcer_common::decide::{
    Reason::{Martian, OwnService},
    Verdict::{Drop, Pass},
};

use super::{
    Known::Nobody,
    Row,
    alter::discovery,
    back, out,
    services::{everybody, link_many},
};
use crate::fixture::{self, Tcp::*};

fn from(source: IpAddr, to: IpAddr) -> Vec<u8> {
    fixture::tcp((source, 40_000).into(), (to, 443).into(), Syn, b"")
}

fn nobody() -> IpAddr {
    Ipv6Addr::UNSPECIFIED.into()
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        out(
            "from 0.0.0.0",
            Nobody,
            |at| from([0; 4].into(), at.server),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "from this network",
            Nobody,
            |at| from([0, 1, 2, 3].into(), at.server),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "from loopback",
            Nobody,
            |at| from([127, 0, 0, 1].into(), at.server),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "from many",
            Nobody,
            |at| from([239, 1, 2, 3].into(), at.server),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "from class E",
            Nobody,
            |at| from([240, 0, 0, 1].into(), at.server),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "from all",
            Nobody,
            |at| from(everybody(), at.server),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "from loopback to the gateway's DNS",
            Nobody,
            |at| fixture::udp(([127, 0, 0, 1], 9).into(), (at.gateway, 53).into(), b""),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "DHCP from loopback",
            Nobody,
            |_| fixture::udp(([127, 0, 0, 1], 68).into(), (everybody(), 67).into(), b""),
            Drop,
            Martian,
        )
        .v4(),
        out(
            "from nobody",
            Nobody,
            |at| from(nobody(), at.server),
            Drop,
            Martian,
        )
        .v6(),
        out(
            "from loopback",
            Nobody,
            |at| from(Ipv6Addr::LOCALHOST.into(), at.server),
            Drop,
            Martian,
        )
        .v6(),
        out(
            "from many",
            Nobody,
            |at| from(link_many(5), at.server),
            Drop,
            Martian,
        )
        .v6(),
        out(
            "IPv4 in disguise",
            Nobody,
            |at| from([0, 0, 0, 0, 0, 0xffff, 0x0a00, 1].into(), at.server),
            Drop,
            Martian,
        )
        .v6(),
        out(
            "looks whether its address is free",
            Nobody,
            |_| discovery(nobody(), link_many(1), 135),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "looks for routers without an address",
            Nobody,
            |_| discovery(nobody(), link_many(2), 133),
            Pass,
            OwnService,
        )
        .v6(),
        out(
            "discovery from loopback",
            Nobody,
            |_| discovery(Ipv6Addr::LOCALHOST.into(), link_many(1), 135),
            Drop,
            Martian,
        )
        .v6(),
        out(
            "discovery from many",
            Nobody,
            |at| discovery(link_many(1), at.gateway, 136),
            Drop,
            Martian,
        )
        .v6(),
        back(
            "to loopback",
            Nobody,
            |at| from(at.server, [127, 0, 0, 1].into()),
            Drop,
            Martian,
        )
        .v4(),
        back(
            "to nobody",
            Nobody,
            |at| from(at.server, nobody()),
            Drop,
            Martian,
        )
        .v6(),
    ]
}
