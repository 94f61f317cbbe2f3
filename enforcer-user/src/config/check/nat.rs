//! Fixed rules of address translation.

use std::{collections::BTreeSet, net::IpAddr};

use enforcer_common::host::Address;

use super::{super::Config, Fault, Findings, interfaces};
use crate::identity::{Overlap, overlaps};

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    let zones = config.zone_names();
    let mappings = &config.nat.statics;
    for (index, mapping) in mappings.iter().enumerate() {
        let key = |name: &str| format!("nat.static[{index}].{name}");
        for (name, address) in [("outside", mapping.outside), ("host", mapping.host)] {
            if !is_one_machines(address) {
                findings.add(key(name), Fault::NoMachine { address });
            }
        }
        let ports = mapping.ports;
        if ports.first > ports.last {
            findings.add(key("ports"), Fault::PortOrder { ports });
        } else if ports.first == 0 {
            findings.add(key("ports"), Fault::PortZero { ports });
        }
        interfaces::zone(&zones, &mapping.zone, key("zone"), findings);
    }
    let blocks = mappings.iter().map(|mapping| {
        let ports = mapping.ports;
        (mapping.outside.to_canonical(), ports.first..=ports.last)
    });
    let mut told = BTreeSet::new();
    for Overlap { first, second } in overlaps(&blocks.collect::<Vec<_>>()) {
        if !told.insert(second) {
            continue;
        }
        let line = findings.places.line(&format!("nat.static[{first}]"));
        let mapping = &mappings[second];
        let fault = Fault::MappingOverlap {
            outside: mapping.outside,
            ports: mapping.ports,
            first: line,
        };
        findings.add(format!("nat.static[{second}].ports"), fault);
    }
}

/// Whether a machine on a network can have this address for itself.
fn is_one_machines(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address == address.to_canonical() && !is_broadcast && !Address::from(address).is_martian()
}
