//! Tables at random over few addresses: written to the real maps, and kept in memory to be judged by.

mod prefixes;
mod random;
mod tables;

pub use random::{at, random, row, source};
pub use tables::Memory;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use anyhow::Result;
use enforcer::datapath::{HostChange, Plan, Rulings};
use ipnet::IpNet;

use super::site::Site;
use crate::gate::{Gate, set};
use enforcer_common::{
    host::{Host, HostRow, SourceId},
    role::{RoleId, RoleRow, Rule, RuleSet},
    settings::Scope,
};
use prefixes::Prefixes;

/// A source whose lease was over at boot.
pub const SILENT: SourceId = SourceId(9);

/// What the tables hold.
#[derive(Clone)]
pub struct World {
    /// Where its hosts are.
    pub site: Site,
    /// The interface.
    pub plan: Plan,
    /// What holds apart from tables.
    pub rulings: Rulings,
    /// What roles mean; those that are not there stop everything.
    pub roles: BTreeMap<RoleId, RoleRow>,
    /// The rules of roles by remote prefix.
    pub rules: Vec<(RoleId, IpNet, Vec<Rule>)>,
    /// What is checked.
    pub scopes: Vec<(u32, IpNet, Scope)>,
    /// What is decided of hosts.
    pub hosts: BTreeMap<Host, HostRow>,
    /// Until when sources are to be believed; those that are not there are not.
    pub leases: BTreeMap<SourceId, u64>,
}

impl World {
    /// Writes all of it in place of what the world before held. Hosts that only that one names are forgotten.
    pub fn write(&self, gate: &mut Gate, before: Option<&Self>) -> Result<()> {
        self.write_hosts(gate, before)?;
        let meanings: Vec<_> = self.roles.iter().map(|(role, row)| (*role, *row)).collect();
        gate.datapath.set_roles(&meanings)?;
        let rules: Vec<_> = self
            .rules
            .iter()
            .map(|(role, prefix, list)| (*role, *prefix, set(list)))
            .collect();
        gate.datapath.set_rules(&rules)?;
        gate.datapath.set_rulings(&self.rulings)?;
        if before.is_none_or(|before| before.scopes != self.scopes) {
            gate.datapath.set_scopes(&self.scopes)?;
        }
        for (source, until) in &self.leases {
            if before.and_then(|before| before.leases.get(source)) != Some(until) {
                gate.datapath.set_lease(*source, *until)?;
            }
        }
        Ok(gate.datapath.set_interface(0, &self.plan)?)
    }

    fn write_hosts(&self, gate: &mut Gate, before: Option<&Self>) -> Result<()> {
        let gone = before
            .into_iter()
            .flat_map(|before| before.hosts.keys())
            .filter(|host| !self.hosts.contains_key(host))
            .map(|host| HostChange::Remove(*host));
        let there = self
            .hosts
            .iter()
            .map(|(host, row)| HostChange::Set(*host, *row));
        Ok(gate
            .datapath
            .apply(&gone.chain(there).collect::<Vec<_>>())?)
    }

    /// The zone of hosts in these VLANs, as the plan of the interface says.
    pub fn zone(&self, outer: u16, inner: u16) -> Option<u32> {
        if outer == 0 {
            return (!self.plan.tagged_only).then_some(self.plan.zone);
        }
        let allowed = self
            .plan
            .vlans
            .iter()
            .find(|vlan| (vlan.outer, vlan.inner) == (outer, inner));
        allowed.map(|vlan| vlan.zone)
    }

    /// The gateway's own address of the same family.
    pub fn own(&self, like: IpAddr) -> Option<IpAddr> {
        let same = |own: &&IpAddr| own.is_ipv4() == like.is_ipv4();
        self.plan.addresses.iter().find(same).copied()
    }

    /// What a role means.
    pub fn role(&self, role: RoleId) -> RoleRow {
        self.roles.get(&role).copied().unwrap_or_default()
    }

    fn rule_prefixes(&self) -> Prefixes<RuleSet> {
        let rows = self
            .rules
            .iter()
            .map(|(role, prefix, rules)| (u32::from(role.0), *prefix, set(rules)));
        Prefixes::new(rows)
    }

    fn scope_prefixes(&self) -> Prefixes<Scope> {
        Prefixes::new(self.scopes.iter().copied())
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}\n{:?}\n{:?}", self.site, self.plan, self.rulings)?;
        writeln!(f, "roles {:?}\nleases {:?}", self.roles, self.leases)?;
        for (role, prefix, rules) in &self.rules {
            write!(f, "rules {role:?} {prefix}")?;
            for Rule {
                first_port,
                last_port,
                protocol,
                allow,
                any_port,
                ..
            } in rules
            {
                let word = if *allow != 0 { "allow" } else { "deny" };
                let any = if *any_port != 0 { " any" } else { "" };
                write!(f, ", {word} {protocol} {first_port}-{last_port}{any}")?;
            }
            writeln!(f)?;
        }
        for (zone, prefix, scope) in &self.scopes {
            writeln!(f, "scope {zone} {prefix} {scope:?}")?;
        }
        for (host, row) in &self.hosts {
            writeln!(f, "host {host:?} {row:?}")?;
        }
        Ok(())
    }
}
