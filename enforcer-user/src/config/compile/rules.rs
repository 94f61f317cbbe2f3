//! Rules: from the order in the file to one set for each role and prefix.

use std::{
    collections::BTreeMap,
    iter,
    net::{IpAddr, Ipv6Addr},
};

use enforcer_common::{
    limits,
    role::{self, RoleId, RuleSet},
};
use ipnet::{IpNet, Ipv4Net};

use super::{
    super::{Action, Config, PortRange, Protocol, Rule, Service},
    CompileError, Compiled, RoleNames,
};

/// The rules that each prefix has of its own, in the order of the file.
type OwnRules = BTreeMap<(RoleId, IpNet), Vec<role::Rule>>;

/// The sets of all roles, the services as rules of [`RoleId::EVERYONE`].
pub(super) fn compile<'a>(
    config: &Config,
    names: &RoleNames,
    services: impl Iterator<Item = &'a Service>,
) -> Result<Vec<(RoleId, IpNet, RuleSet)>, CompileError> {
    let own = own_rules(config, names, services)?;
    if own.len() > limits::RULE_PREFIXES as usize {
        return Err(CompileError::TooManyRulePrefixes { count: own.len() });
    }
    let sets = own.keys().map(|&(role, prefix)| {
        let set = set(&own, role, prefix, names.name(role))?;
        Ok((role, prefix, set))
    });
    sets.collect()
}

fn own_rules<'a>(
    config: &Config,
    names: &RoleNames,
    services: impl Iterator<Item = &'a Service>,
) -> Result<OwnRules, CompileError> {
    let mut own = OwnRules::new();
    for service in services {
        add(&mut own, RoleId::EVERYONE, &service.rule());
    }
    for (name, role) in &config.roles {
        let id = names.require(name)?;
        role.rules.iter().for_each(|rule| add(&mut own, id, rule));
    }
    part_families(&mut own);
    Ok(own)
}

fn add(own: &mut OwnRules, role: RoleId, written: &Rule) {
    for prefix in &written.to {
        own.entry((role, prefix.trunc()))
            .or_default()
            .extend(rows(written));
    }
}

/// One row for each range of ports.
fn rows(rule: &Rule) -> Vec<role::Rule> {
    let row = |ports: Option<&PortRange>| role::Rule {
        first_port: ports.map_or(0, |ports| ports.first),
        last_port: ports.map_or(u16::MAX, |ports| ports.last),
        protocol: match rule.protocol {
            Protocol::Any => role::Rule::ANY_PROTOCOL,
            Protocol::Number(number) => number,
        },
        allow: u8::from(rule.action == Action::Allow),
        any_port: u8::from(ports.is_none()),
        pad: 0,
    };
    if rule.ports.is_empty() {
        return vec![row(None)];
    }
    rule.ports.iter().map(|ports| row(Some(ports))).collect()
}

/// The datapath holds IPv4 as `::ffff:0:0/96`, so that a short IPv6 prefix would cover all of it.
/// An empty set for 0.0.0.0/0 keeps rules for IPv6 away from IPv4.
fn part_families(own: &mut OwnRules) {
    let mapped = Ipv6Addr::from_bits(0xffff << 32);
    let covering: Vec<_> = own
        .keys()
        .filter(|(_, prefix)| matches!(prefix, IpNet::V6(prefix) if prefix.contains(&mapped)))
        .map(|(role, _)| *role)
        .collect();
    for role in covering {
        own.entry((role, Ipv4Net::default().into())).or_default();
    }
}

/// The rules of a prefix, then those of the prefixes around it, the nearest first: the datapath
/// looks at the longest match alone.
fn set(own: &OwnRules, role: RoleId, prefix: IpNet, name: &str) -> Result<RuleSet, CompileError> {
    let count = own.get(&(role, prefix)).map_or(0, Vec::len);
    if count > limits::RULES_PER_PREFIX {
        return Err(CompileError::TooManyOwnRules {
            role: name.to_owned(),
            prefix,
            count,
        });
    }
    let rules: Vec<_> = iter::successors(Some(prefix), IpNet::supernet)
        .filter_map(|prefix| own.get(&(role, prefix)))
        .flatten()
        .copied()
        .collect();
    let count = rules.len();
    let mut set: RuleSet = bytemuck::Zeroable::zeroed();
    let Some(places) = set.rules.get_mut(..count) else {
        return Err(CompileError::TooManyRules {
            role: name.to_owned(),
            prefix,
            count,
        });
    };
    places.copy_from_slice(&rules);
    set.count = u32::try_from(count).unwrap_or(0);
    Ok(set)
}

impl Compiled {
    /// What the rules of a role say of a remote address, as the datapath looks it up.
    pub fn allows(&self, role: RoleId, remote: IpAddr, protocol: u8, port: u16) -> Option<bool> {
        let (.., set) = self
            .rules
            .iter()
            .filter(|(owner, prefix, _)| *owner == role && prefix.contains(&remote))
            .max_by_key(|(_, prefix, _)| prefix.prefix_len())?;
        set.decide(protocol, u32::from(port))
    }
}

#[cfg(test)]
mod tests;
