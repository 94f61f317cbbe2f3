//! Fixed rules of address translation.

use std::{borrow::Cow, collections::BTreeSet, net::IpAddr};

use enforcer_common::host::Address;

use super::{
    super::{Config, PortRange},
    Fault, Findings, interfaces,
};
use crate::identity::{Overlap, overlaps};

/// What can be wrong with a fixed rule of address translation.
#[derive(Debug, thiserror::Error)]
pub enum MappingFault {
    /// A port that no connection has.
    #[error("the range of ports {ports} begins with 0, which no connection has")]
    PortZero {
        /// The range.
        ports: PortRange,
    },
    /// No address that a machine has for itself.
    #[error("{address} is no address that one machine can have on a network")]
    NoMachine {
        /// The address.
        address: IpAddr,
    },
    /// Two hosts for one port.
    #[error("ports {ports} of {outside} are another host's already, in part or all of them")]
    Overlap {
        /// The outside address.
        outside: IpAddr,
        /// The ports.
        ports: PortRange,
        /// Line of the other mapping.
        first: Option<usize>,
    },
}

impl MappingFault {
    /// What to do about it.
    pub(super) fn remedy(&self) -> Cow<'static, str> {
        match self {
            Self::PortZero { ports } => format!("write \"1-{}\"", ports.last).into(),
            Self::NoMachine { .. } => {
                "write the address of one host: no multicast, broadcast, loopback or empty one, and IPv4 as such".into()
            }
            Self::Overlap {
                first: Some(line), ..
            } => format!("give one of them other ports: the other one is in line {line}").into(),
            Self::Overlap { first: None, .. } => "give one of them other ports".into(),
        }
    }
}

impl From<MappingFault> for Fault {
    fn from(fault: MappingFault) -> Self {
        Self::Mapping(fault)
    }
}

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    let zones = config.zone_names();
    let mappings = &config.nat.statics;
    for (index, mapping) in mappings.iter().enumerate() {
        let key = |name: &str| format!("nat.static[{index}].{name}");
        for (name, address) in [("outside", mapping.outside), ("host", mapping.host)] {
            if !is_one_machines(address) {
                findings.add(key(name), MappingFault::NoMachine { address }.into());
            }
        }
        let ports = mapping.ports;
        if ports.first > ports.last {
            findings.add(key("ports"), Fault::PortOrder { ports });
        } else if ports.first == 0 {
            findings.add(key("ports"), MappingFault::PortZero { ports }.into());
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
        let fault = MappingFault::Overlap {
            outside: mapping.outside,
            ports: mapping.ports,
            first: line,
        };
        findings.add(format!("nat.static[{second}].ports"), fault.into());
    }
}

/// Whether a machine on a network can have this address for itself.
fn is_one_machines(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address == address.to_canonical() && !is_broadcast && !Address::from(address).is_martian()
}
