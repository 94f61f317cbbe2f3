//! Scopes: what becomes of the addresses of each zone.

use std::{collections::BTreeMap, net::IpAddr};

use enforcer_common::{limits, settings::Scope};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{super::Config, CompileError, Compiled, zone_number};

/// For each zone the default, what the scopes say, and the operators, who are never checked.
pub(super) fn compile(config: &Config) -> Result<Vec<(u32, IpNet, Scope)>, CompileError> {
    let zones = config.zone_names();
    let numbers: Vec<_> = (0..).take(zones.len()).collect();
    let mut rows = BTreeMap::new();
    for &zone in &numbers {
        for all in [Ipv4Net::default().into(), Ipv6Net::default().into()] {
            rows.insert((zone, all), config.default_scope.into());
        }
    }
    for scope in &config.scopes {
        let meant = match &scope.zone {
            Some(name) => vec![zone_number(&zones, name)?],
            None => numbers.clone(),
        };
        for zone in meant {
            rows.insert((zone, scope.prefix.trunc()), scope.action.into());
        }
    }
    for operator in &config.operators {
        for &zone in &numbers {
            rows.insert((zone, operator.trunc()), Scope::Bypassed);
        }
    }
    let count = rows.len();
    if count > limits::SCOPES as usize {
        return Err(CompileError::TooManyScopes { count });
    }
    Ok(rows
        .into_iter()
        .map(|((zone, prefix), scope)| (zone, prefix, scope))
        .collect())
}

impl Compiled {
    /// What becomes of an address: the longest prefix counts, as in the datapath.
    pub fn scope(&self, zone: u32, address: IpAddr) -> Scope {
        self.scopes
            .iter()
            .filter(|(owner, prefix, _)| *owner == zone && prefix.contains(&address))
            .max_by_key(|(_, prefix, _)| prefix.prefix_len())
            .map_or(Scope::Checked, |(.., scope)| *scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_of_the_zone_counts_and_operators_win() {
        let text = "
            operators = ['10.0.0.7']
            default_scope = 'outside'
            [[interface]]
            name = 'a0'
            zone = 'a'
            [[interface]]
            name = 'b0'
            zone = 'b'
            [[scope]]
            prefix = '10.0.0.0/8'
            action = 'checked'
            [[scope]]
            prefix = '10.0.0.0/24'
            zone = 'b'
            action = 'bypassed'
        ";
        let config = Config::parse("e.toml".as_ref(), text).expect("a configuration");
        let compiled = config.compile(&[]).expect("a configuration that compiles");
        let scope =
            |zone, address: &str| compiled.scope(zone, address.parse().expect("an address"));
        assert_eq!(compiled.zones, ["a", "b"]);
        assert_eq!(scope(0, "10.0.0.1"), Scope::Checked);
        assert_eq!(scope(1, "10.0.0.1"), Scope::Bypassed);
        assert_eq!(scope(1, "10.0.1.1"), Scope::Checked);
        assert_eq!(scope(0, "10.0.0.7"), Scope::Bypassed);
        assert_eq!(scope(0, "2001:db8::1"), Scope::Outside);
        // Both defaults and three prefixes in one zone, one more in the other.
        assert_eq!(compiled.scopes.len(), 4 + 5);
    }
}
