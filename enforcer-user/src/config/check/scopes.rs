//! Scopes and operators.

use ipnet::IpNet;

use super::{
    super::{Config, ScopeEntry},
    Fault, Findings, interfaces,
};

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    let zones = config.zone_names();
    for (index, scope) in config.scopes.iter().enumerate() {
        let key = format!("scope[{index}].prefix");
        findings.prefix(&key, scope.prefix);
        if let Some(name) = &scope.zone {
            interfaces::zone(&zones, name, format!("scope[{index}].zone"), findings);
        }
        if let Some(fault) = overlap(config, index, &zones, findings) {
            findings.add(key, fault);
        }
    }
    for (index, &prefix) in config.operators.iter().enumerate() {
        let key = format!("operators[{index}]");
        findings.prefix(&key, prefix);
        if prefix.prefix_len() == 0 {
            findings.add(key, Fault::EveryoneOperator { prefix });
        }
    }
}

/// What a scope has to do with the operators and the other scopes.
fn overlap(
    config: &Config,
    index: usize,
    zones: &[String],
    findings: &Findings<'_>,
) -> Option<Fault> {
    let scope = &config.scopes[index];
    let prefix = scope.prefix;
    let operators = config
        .operators
        .iter()
        .find(|operators| operators.contains(&prefix));
    if let Some(&operators) = operators {
        return Some(Fault::ScopeInOperators {
            prefix,
            operators,
            action: scope.action,
        });
    }
    let twin =
        |other: &ScopeEntry| other.prefix.trunc() == prefix.trunc() && share_zone(scope, other);
    if let Some(first) = config.scopes[..index].iter().position(twin) {
        let first = findings.places.line(&format!("scope[{first}]"));
        return Some(Fault::ScopeTwice { prefix, first });
    }
    let parents = zones.iter().filter(|zone| applies(scope, zone));
    let parent = parents.filter_map(|zone| parent(config, prefix, zone));
    let mut same = parent.filter(|parent| parent.action == scope.action);
    same.next().map(|parent| Fault::ScopeInScope {
        prefix,
        parent: parent.prefix,
        action: scope.action,
    })
}

/// The nearest scope around a prefix in a zone.
fn parent<'a>(config: &'a Config, prefix: IpNet, zone: &str) -> Option<&'a ScopeEntry> {
    config
        .scopes
        .iter()
        .filter(|other| applies(other, zone))
        .filter(|other| other.prefix.prefix_len() < prefix.prefix_len())
        .filter(|other| other.prefix.contains(&prefix))
        .max_by_key(|other| other.prefix.prefix_len())
}

fn applies(scope: &ScopeEntry, zone: &str) -> bool {
    scope.zone.as_deref().is_none_or(|own| own == zone)
}

fn share_zone(one: &ScopeEntry, other: &ScopeEntry) -> bool {
    one.zone.as_deref().is_none_or(|zone| applies(other, zone))
}
