//! Worlds to judge in: tables at random over few addresses, so that packets meet what they hold.

use std::collections::HashMap;

use enforcer_common::{
    decide::{Case, Direction, Judgement, judge, standing},
    host::{Address, Asked, FOREVER, Host, HostRow, Origin, SourceId},
    packet::{Frame, Packet, parse, protocol},
    role::{RoleId, RoleRow, Rule},
    settings::{Scope, Settings},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::model::{Model, set};
use crate::frames::{NETWORK, PING_V4, SYN, TRANSPORT_V4, UDP, fragment, ipv4, ipv6};

/// Every world is judged at this time.
pub const NOW: u64 = 100_000;

/// The roles that hosts may have in a world.
pub const ROLES: [RoleId; 6] = [
    RoleId::UNKNOWN,
    RoleId::AUTHORIZED,
    RoleId::QUARANTINE,
    RoleId::DENIED,
    RoleId::BYPASS,
    RoleId::FIRST_OWN,
];

/// Addresses of hosts and servers, with some that no host may have.
pub fn address() -> impl Strategy<Value = Address> {
    let v6 = |first: u8, second: u8, last: u8| {
        let mut bytes = [0; 16];
        (bytes[0], bytes[1], bytes[15]) = (first, second, last);
        Address::v6(bytes)
    };
    select(vec![
        Address::v4([10, 0, 0, 1]),
        Address::v4([10, 0, 0, 2]),
        Address::v4([10, 0, 0, 3]),
        Address::v4([0; 4]),
        Address::v4([127, 0, 0, 1]),
        Address::v4([224, 0, 0, 22]),
        Address::v4([239, 1, 2, 3]),
        Address::v4([255; 4]),
        v6(0xfd, 0, 1),
        v6(0xfd, 0, 2),
        v6(0xfe, 0x80, 3),
        v6(0, 0, 0),
        v6(0, 0, 1),
        v6(0xff, 2, 1),
        v6(0xff, 5, 1),
        Address::v6(Address::v4([10, 0, 0, 1]).mapped()),
    ])
}

/// A host in the only zone.
pub fn host(address: Address) -> Host {
    Host { zone: 0, address }
}

fn rule() -> impl Strategy<Value = Rule> {
    let protocols = select(vec![6, 17, 58, Rule::ANY_PROTOCOL]);
    let ports = select(vec![(0, u16::MAX), (53, 53), (80, 443), (68, 547)]);
    (protocols, ports, any::<bool>(), any::<bool>()).prop_map(|(protocol, ports, allow, any)| {
        Rule {
            first_port: ports.0,
            last_port: ports.1,
            protocol,
            allow: allow.into(),
            any_port: any.into(),
            pad: 0,
        }
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), select(ROLES.to_vec()), any::<bool>()).prop_map(|(enforce, role, datagram)| {
        Settings {
            enforce: enforce.into(),
            lease_expired: role,
            first_datagram: datagram.into(),
            ..Model::empty().settings
        }
    })
}

/// Times around [`NOW`], and the last one.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![NOW - 400..NOW + 400, Just(0), Just(FOREVER)]
}

fn row() -> impl Strategy<Value = HostRow> {
    (time(), select(ROLES.to_vec()), 0..3_u8).prop_map(|(deadline, role, source)| HostRow {
        deadline,
        mac: [0; 6],
        role,
        origin: Origin::of(SourceId(source)),
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    (0..4000_u64, 0..4000_u64).prop_map(|(a, b)| Asked {
        since: NOW - a.max(b),
        last: NOW - a.min(b),
    })
}

/// Tables at random.
pub fn world() -> impl Strategy<Value = Model> {
    let scope = select(vec![Scope::Checked, Scope::Bypassed, Scope::Outside]);
    let owner = select([&ROLES[..], &[RoleId::EVERYONE]].concat());
    let rules = (
        (owner, address().prop_map(|a| a.mapped())),
        vec(rule(), 0..5),
    );
    (
        vec((address(), row()), 0..6),
        vec((0..3_u8, time()), 0..4),
        vec((address(), scope), 0..6),
        vec((select(ROLES.to_vec()), 0..32_u32), 0..8),
        vec(rules, 0..8),
        vec((address(), asked()), 0..6),
        settings(),
    )
        .prop_map(
            |(hosts, leases, scopes, roles, rules, asked, settings)| Model {
                hosts: by_host(hosts),
                leases: leases
                    .into_iter()
                    .map(|(id, end)| (SourceId(id), end))
                    .collect(),
                scopes: by_host(scopes),
                roles: roles
                    .into_iter()
                    .map(|(id, row)| (id, RoleRow::new(row)))
                    .collect(),
                rules: rules
                    .into_iter()
                    .map(|(key, rules)| (key, set(&rules)))
                    .collect(),
                asked: by_host(asked),
                settings,
            },
        )
}

fn by_host<T>(rows: Vec<(Address, T)>) -> HashMap<Host, T> {
    rows.into_iter()
        .map(|(address, row)| (host(address), row))
        .collect()
}

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
enum Upper {
    Tcp { to: u16, flags: u8, payload: bool },
    Udp { from: u16, to: u16 },
    Icmp(u8),
    Other(u8),
    Fragment(u8),
}

fn upper() -> impl Strategy<Value = Upper> {
    let port = || select(vec![22_u16, 53, 67, 68, 80, 443, 546, 547, 8480]);
    let icmp = prop_oneof![Just(8_u8), 128..148_u8];
    prop_oneof![
        (port(), any::<u8>(), any::<bool>()).prop_map(|(to, flags, payload)| Upper::Tcp {
            to,
            flags,
            payload
        }),
        (port(), port()).prop_map(|(from, to)| Upper::Udp { from, to }),
        select(vec![(68, 67), (546, 547)]).prop_map(|(from, to)| Upper::Udp { from, to }),
        icmp.prop_map(Upper::Icmp),
        select(vec![protocol::IGMP, 47]).prop_map(Upper::Other),
        select(vec![6_u8, 17, 58]).prop_map(Upper::Fragment),
    ]
}

/// A packet at random between the addresses of the world, of one family.
pub fn packet() -> impl Strategy<Value = Packet> {
    let hops = select(vec![1_u8, 64, 255]);
    (address(), address(), upper(), hops)
        .prop_filter("one family", |(from, to, ..)| from.family() == to.family())
        .prop_map(|(from, to, upper, hops)| read(&frame(from, to, upper, hops)))
}

/// A later fragment at random.
pub fn later_fragment() -> impl Strategy<Value = Packet> {
    let fragments = select(vec![6_u8, 17, 58]).prop_map(Upper::Fragment);
    (address(), address(), fragments)
        .prop_filter("one family", |(from, to, _)| from.family() == to.family())
        .prop_map(|(from, to, upper)| read(&frame(from, to, upper, 64)))
}

/// A UDP datagram.
pub fn udp(from: (Address, u16), to: (Address, u16)) -> Packet {
    let upper = Upper::Udp {
        from: from.1,
        to: to.1,
    };
    read(&frame(from.0, to.0, upper, 64))
}

/// A TCP segment to this port with these flags.
pub fn tcp(from: Address, to: (Address, u16), flags: u8) -> Packet {
    let upper = Upper::Tcp {
        to: to.1,
        flags,
        payload: false,
    };
    read(&frame(from, to.0, upper, 64))
}

/// An ICMP or ICMPv6 message of this type and hop limit.
pub fn icmp(from: Address, to: Address, kind: u8, hops: u8) -> Packet {
    read(&frame(from, to, Upper::Icmp(kind), hops))
}

fn read(frame: &[u8]) -> Packet {
    match parse(frame) {
        Ok(Frame::Ip(packet)) => packet,
        other => panic!("{other:?}"),
    }
}

fn frame(from: Address, to: Address, upper: Upper, hops: u8) -> Vec<u8> {
    let v4 = from.family() == enforcer_common::host::Family::V4;
    let (number, bytes) = match upper {
        Upper::Tcp { to, flags, payload } => {
            let mut tcp = [&SYN[..], if payload { b"data" } else { b"" }].concat();
            tcp[2..4].copy_from_slice(&to.to_be_bytes());
            tcp[13] = flags;
            (protocol::TCP, tcp)
        }
        Upper::Udp { from, to } => {
            let mut udp = UDP.to_vec();
            udp[0..2].copy_from_slice(&from.to_be_bytes());
            udp[2..4].copy_from_slice(&to.to_be_bytes());
            (protocol::UDP, udp)
        }
        Upper::Icmp(kind) => {
            let mut icmp = PING_V4.to_vec();
            icmp[0] = kind;
            (if v4 { protocol::ICMP } else { protocol::ICMPV6 }, icmp)
        }
        Upper::Other(number) => (number, vec![0; 8]),
        Upper::Fragment(number) if v4 => (number, vec![0; 24]),
        Upper::Fragment(number) => (
            protocol::FRAGMENT,
            [fragment(number, 9, true), vec![0; 24]].concat(),
        ),
    };
    if !v4 {
        let mut frame = ipv6(number, &bytes);
        frame[NETWORK + 7] = hops;
        frame[NETWORK + 8..NETWORK + 24].copy_from_slice(&from.mapped());
        frame[NETWORK + 24..NETWORK + 40].copy_from_slice(&to.mapped());
        return frame;
    }
    let mut frame = ipv4(number, &bytes);
    frame[NETWORK + 8] = hops;
    frame[NETWORK + 12..NETWORK + 16].copy_from_slice(&from.last_bytes());
    frame[NETWORK + 16..TRANSPORT_V4].copy_from_slice(&to.last_bytes());
    if matches!(upper, Upper::Fragment(_)) {
        frame[NETWORK + 7] = 9;
    }
    frame
}

/// Either way.
pub fn direction() -> impl Strategy<Value = Direction> {
    select(vec![Direction::FromHost, Direction::ToHost])
}

/// Whose packet it is.
pub fn host_of(packet: &Packet, direction: Direction) -> Host {
    host(match direction {
        Direction::FromHost => packet.source,
        Direction::ToHost => packet.destination,
    })
}

/// The judgement at this time, as every program makes it.
pub fn judged_at(packet: &Packet, direction: Direction, model: &Model, now: u64) -> Judgement {
    let host = host_of(packet, direction);
    let standing = standing(&host, model, now);
    judge(
        &Case {
            packet,
            direction,
            host: &host,
            standing: &standing,
            now,
        },
        model,
    )
}

/// The judgement [`NOW`].
pub fn judged(packet: &Packet, direction: Direction, model: &Model) -> Judgement {
    judged_at(packet, direction, model, NOW)
}
