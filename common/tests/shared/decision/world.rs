//! Worlds to judge in: tables at random over few addresses, so that packets meet what they hold.

use std::collections::HashMap;

use bytemuck::Zeroable;
use enforcer_common::{
    host::{Address, Asked, FOREVER, Host, HostRow, Origin, SourceId},
    role::{RoleId, RoleRow, Rule},
    settings::{InterfaceRow, Scope, Settings},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::model::{Model, set};

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

/// The MAC addresses of a world.
pub const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 0x10], [2, 0, 0, 0, 0, 0x20]];

/// The VLANs of a world, of which all but the last are allowed, with their zones.
pub const VLANS: [((u16, u16), u32); 4] = [((7, 0), 0), ((20, 0), 1), ((20, 30), 1), ((99, 0), 0)];

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

/// A host of no VLAN.
pub fn host(address: Address) -> Host {
    Host { zone: 0, address }
}

fn anyone() -> impl Strategy<Value = Host> {
    (select(vec![0, 0, 1]), address()).prop_map(|(zone, address)| Host { zone, address })
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
    let failing = (select(vec![0, 0, 1]), select(vec![0, 0, 1, 2]));
    (
        any::<bool>(),
        select(ROLES.to_vec()),
        any::<bool>(),
        failing,
    )
        .prop_map(
            |(enforce, role, datagram, (lease_holds, undecided))| Settings {
                enforce: enforce.into(),
                lease_expired: role,
                first_datagram: datagram.into(),
                lease_holds,
                undecided,
                ..Model::empty().settings
            },
        )
}

fn interface() -> impl Strategy<Value = InterfaceRow> {
    use InterfaceRow as Row;
    let tagged_only = select(vec![0, 0, 0, Row::TAGGED_ONLY]);
    let rogues = select(vec![0, 0, Row::ROUTERS, Row::DHCP_SERVERS]);
    (tagged_only, rogues).prop_map(|(tags, rogues)| InterfaceRow::zeroed().with(tags | rogues))
}

/// Times around [`NOW`], and the last one.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![NOW - 400..NOW + 400, Just(0), Just(FOREVER)]
}

fn row() -> impl Strategy<Value = HostRow> {
    let macs = select(vec![[0; 6], [0; 6], MACS[0], MACS[1]]);
    (time(), select(ROLES.to_vec()), 0..3_u8, macs, any::<bool>()).prop_map(
        |(deadline, role, source, mac, closing)| {
            let origin = Origin::of(SourceId(source));
            HostRow {
                deadline,
                mac,
                role,
                origin: if closing { origin.closing() } else { origin },
            }
        },
    )
}

fn asked() -> impl Strategy<Value = Asked> {
    (0..4000_u64, 0..4000_u64).prop_map(|(a, b)| Asked {
        since: NOW - a.max(b),
        last: NOW - a.min(b),
    })
}

/// Tables at random.
pub fn world() -> impl Strategy<Value = Model> {
    let scope = select(vec![
        Scope::Checked,
        Scope::Bypassed,
        Scope::Outside,
        Scope::Own,
    ]);
    let owner = select([&ROLES[..], &[RoleId::EVERYONE]].concat());
    let rules = (
        (owner, address().prop_map(|a| a.mapped())),
        vec(rule(), 0..5),
    );
    let hosts = (
        vec((anyone(), row()), 0..6),
        vec((anyone(), scope), 0..6),
        vec((anyone(), asked()), 0..6),
    );
    (
        hosts,
        vec((0..3_u8, time()), 0..4),
        vec((select(ROLES.to_vec()), 0..32_u32), 0..8),
        vec(rules, 0..8),
        any::<bool>(),
        interface(),
        settings(),
    )
        .prop_map(
            |((hosts, scopes, asked), leases, roles, rules, may_ask, interface, settings)| {
                let allowed = VLANS.into_iter().filter(|((outer, _), _)| *outer != 99);
                Model {
                    interface,
                    vlans: allowed.collect(),
                    hosts: HashMap::from_iter(hosts),
                    leases: leases
                        .into_iter()
                        .map(|(id, end)| (SourceId(id), end))
                        .collect(),
                    scopes: HashMap::from_iter(scopes),
                    roles: roles
                        .into_iter()
                        .map(|(id, row)| (id, RoleRow::new(row)))
                        .collect(),
                    rules: rules
                        .into_iter()
                        .map(|(key, rules)| (key, set(&rules)))
                        .collect(),
                    asked: HashMap::from_iter(asked),
                    may_ask,
                    settings,
                    ..Model::empty()
                }
            },
        )
}
