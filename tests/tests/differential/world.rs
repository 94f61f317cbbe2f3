//! Tables at random over few addresses, written to the real maps.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use anyhow::Result;
use enforcer::datapath::{HostChange, Rulings};
use enforcer_common::{
    host::{FOREVER, HostRow, Origin, SourceId},
    role::{RoleId, RoleRow, Rule},
    settings::Scope,
};
use enforcer_tests::gate::{Gate, host, set};
use ipnet::IpNet;
use proptest::{collection::vec, prelude::*, sample::select};

const ROLES: [RoleId; 7] = [
    RoleId::UNKNOWN,
    RoleId::AUTHORIZED,
    RoleId::QUARANTINE,
    RoleId::DENIED,
    RoleId::BYPASS,
    RoleId::FIRST_OWN,
    RoleId::EVERYONE,
];

/// A source whose lease was over at boot.
const SILENT: SourceId = SourceId(9);

#[derive(Clone, Debug)]
pub struct World {
    rulings: Rulings,
    roles: Vec<(RoleId, u32)>,
    rules: Vec<(RoleId, IpNet, Vec<Rule>)>,
    scopes: Vec<(IpNet, Scope)>,
    hosts: Vec<(IpAddr, RoleId, SourceId, u64)>,
}

/// Every address that may be one end of a packet.
fn addresses() -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = (1..8)
        .map(|last| Ipv4Addr::new(10, 9, 0, last).into())
        .collect();
    all.extend((1..8).map(|last| IpAddr::from(Ipv6Addr::new(0xfd09, 0, 0, 0, 0, 0, 0, last))));
    all.extend([
        IpAddr::from([0, 0, 0, 0]),
        IpAddr::from([127, 0, 0, 1]),
        IpAddr::from([224, 0, 0, 22]),
        IpAddr::from([255, 255, 255, 255]),
        IpAddr::from(Ipv6Addr::UNSPECIFIED),
        IpAddr::from(Ipv6Addr::LOCALHOST),
        IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 1]),
        IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 1]),
        IpAddr::from([192, 0, 2, 1]),
    ]);
    all
}

pub fn address() -> impl Strategy<Value = IpAddr> {
    select(addresses())
}

pub fn role() -> impl Strategy<Value = RoleId> {
    select(ROLES[..6].to_vec())
}

fn prefix() -> impl Strategy<Value = IpNet> {
    (address(), 0..=128_u8).prop_map(|(address, bits)| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        let net = IpNet::new(address, bits.min(most)).expect("a short enough prefix");
        net.trunc()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let protocol = select(vec![6, 17, 58, Rule::ANY_PROTOCOL]);
    let ports = select(vec![(0, u16::MAX), (53, 53), (80, 443), (68, 547)]);
    (protocol, ports, any::<bool>(), any::<bool>()).prop_map(|(protocol, ports, allow, any)| Rule {
        first_port: ports.0,
        last_port: ports.1,
        protocol,
        allow: allow.into(),
        any_port: any.into(),
        pad: 0,
    })
}

fn rulings() -> impl Strategy<Value = Rulings> {
    let enforce = prop_oneof![4 => Just(true), 1 => Just(false)];
    let wait = select(vec![Duration::ZERO, Duration::from_mins(10)]);
    (enforce, wait, any::<bool>(), role()).prop_map(
        |(enforce, unknown_timeout, first_datagram, lease_expired)| Rulings {
            enforce,
            unknown_timeout,
            first_datagram,
            lease_expired,
            questions_per_second: enforcer_tests::gate::UNLIMITED,
            replies_per_second: enforcer_tests::gate::UNLIMITED,
        },
    )
}

impl World {
    /// A world at random.
    pub fn any() -> impl Strategy<Value = Self> {
        let scope = select(vec![
            Scope::Checked,
            Scope::Bypassed,
            Scope::Outside,
            Scope::Own,
        ]);
        let source = select(vec![SourceId::GATEWAY, SourceId::MANAGEMENT, SILENT]);
        let flags = prop_oneof![4 => 0..16_u32, 1 => 16..32_u32];
        (
            rulings(),
            vec((select(ROLES.to_vec()), flags), 0..12),
            vec((select(ROLES.to_vec()), prefix(), vec(rule(), 0..6)), 0..16),
            vec((prefix(), scope), 0..4),
            vec((address(), role(), source, select(vec![1, FOREVER])), 0..14),
        )
            .prop_map(|(rulings, roles, rules, scopes, hosts)| Self {
                rulings,
                roles,
                rules,
                scopes,
                hosts,
            })
    }

    /// Writes all of it in place of what was there. Hosts that it does not name are forgotten.
    pub fn write(&self, gate: &mut Gate) -> Result<()> {
        let roles: Vec<_> = self
            .roles
            .iter()
            .map(|(id, row)| (*id, RoleRow::new(*row)))
            .collect();
        let of_roles: Vec<_> = self
            .rules
            .iter()
            .map(|(role, prefix, rules)| (*role, *prefix, set(rules)))
            .collect();
        let scopes: Vec<_> = self
            .scopes
            .iter()
            .map(|(net, scope)| (0, *net, *scope))
            .collect();
        let everyone = addresses()
            .into_iter()
            .map(|address| HostChange::Remove(host(address)));
        let hosts = self.hosts.iter().map(|(address, role, source, deadline)| {
            let row = HostRow {
                deadline: *deadline,
                mac: [0; 6],
                role: *role,
                origin: Origin::of(*source),
            };
            (host(*address), HostChange::Set(host(*address), row))
        });
        // The last change of a host must be its only one.
        let hosts: std::collections::HashMap<_, _> = hosts.collect();
        gate.datapath.apply(&everyone.collect::<Vec<_>>())?;
        gate.datapath
            .apply(&hosts.into_values().collect::<Vec<_>>())?;
        gate.datapath.set_roles(&roles)?;
        gate.datapath.set_rules(&of_roles)?;
        gate.datapath.set_scopes(&scopes)?;
        Ok(gate.datapath.set_rulings(&self.rulings)?)
    }
}
