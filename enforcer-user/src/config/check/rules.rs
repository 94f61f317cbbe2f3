//! Rules of roles, and services.

use enforcer_common::packet::protocol;
use ipnet::IpNet;

use super::{
    super::{Config, Protocol, Rule},
    Fault, Findings,
};

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    for (index, service) in config.services.iter().enumerate() {
        rule(&service.rule(), &format!("service[{index}]"), findings);
    }
    for (name, role) in &config.roles {
        for (index, written) in role.rules.iter().enumerate() {
            rule(written, &format!("role.{name}.rule[{index}]"), findings);
        }
    }
}

fn rule(rule: &Rule, key: &str, findings: &mut Findings<'_>) {
    let protocol = rule.protocol;
    if rule.to.is_empty() {
        findings.add(format!("{key}.to"), Fault::NoDestination);
    }
    for (index, &prefix) in rule.to.iter().enumerate() {
        let key = format!("{key}.to[{index}]");
        findings.prefix(&key, prefix);
        if is_of_other_family(protocol, prefix) {
            findings.add(key, Fault::OtherFamily { protocol, prefix });
        }
    }
    if !rule.ports.is_empty() && !protocol.has_ports() {
        findings.add(format!("{key}.ports"), Fault::PortsWithout { protocol });
    }
    for (index, &ports) in rule.ports.iter().enumerate() {
        if ports.first > ports.last {
            findings.add(format!("{key}.ports[{index}]"), Fault::PortOrder { ports });
        }
    }
}

const fn is_of_other_family(protocol: Protocol, prefix: IpNet) -> bool {
    match prefix {
        IpNet::V4(_) => matches!(protocol, Protocol::Number(protocol::ICMPV6)),
        IpNet::V6(_) => matches!(protocol, Protocol::Number(protocol::ICMP)),
    }
}
