//! Interfaces and zones.

use super::{
    super::{Choice, Config, Interface, Vlan, machine::Machine},
    Fault, Findings, MAX_HOSTS,
};

/// 0 is no VLAN and 4095 is reserved (IEEE 802.1Q-2022 table 9-2).
const VLANS: std::ops::RangeInclusive<u16> = 1..=4094;

/// The kernel's names have 15 letters and a zero.
const MAX_NAME: usize = 15;

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    if config.interfaces.is_empty() {
        findings.add("interface", Fault::NoInterface);
    }
    let zones = config.zone_names();
    for (index, interface) in config.interfaces.iter().enumerate() {
        let name = interface.name.clone();
        let key = format!("interface[{index}].name");
        if !is_name(&name) {
            findings.add(key, Fault::InterfaceName { name });
        } else if config.interfaces[..index]
            .iter()
            .any(|other| other.name == name)
        {
            findings.add(key, Fault::InterfaceTwice { name });
        }
        zone(
            &zones,
            &interface.zone,
            format!("interface[{index}].zone"),
            findings,
        );
        vlans(index, interface, &zones, findings);
    }
    for (index, name) in config.zones.iter().enumerate() {
        if config.zones[..index].contains(name) {
            let zone = name.clone();
            findings.add(format!("zones[{index}]"), Fault::ZoneTwice { zone });
        }
    }
    for (index, name) in config.uplinks.iter().enumerate() {
        let (key, name) = (format!("uplinks[{index}]"), name.clone());
        if !is_name(&name) {
            findings.add(key, Fault::InterfaceName { name });
        } else if config.interfaces.iter().any(|one| one.name == name) {
            findings.add(key, Fault::UplinkEnforced { name });
        }
    }
    if !(1..=MAX_HOSTS).contains(&config.host_capacity) {
        let rows = config.host_capacity;
        findings.add("host_capacity", Fault::HostCapacity { rows });
    }
}

fn vlans(index: usize, interface: &Interface, zones: &[String], findings: &mut Findings<'_>) {
    if interface.vlans.is_empty() && !interface.untagged {
        findings.add(format!("interface[{index}].untagged"), Fault::NoVlan);
    }
    for (place, vlan) in interface.vlans.iter().enumerate() {
        let key = format!("interface[{index}].vlan[{place}]");
        for (name, id) in [("id", Some(vlan.id)), ("inner", vlan.inner)] {
            if let Some(id) = id.filter(|id| !VLANS.contains(id)) {
                findings.add(format!("{key}.{name}"), Fault::VlanId { id });
            }
        }
        let twin = |other: &Vlan| (other.id, other.inner) == (vlan.id, vlan.inner);
        if interface.vlans[..place].iter().any(twin) {
            findings.add(format!("{key}.id"), Fault::VlanTwice { id: vlan.id });
        }
        if let Some(name) = &vlan.zone {
            zone(zones, name, format!("{key}.zone"), findings);
        }
    }
}

/// A zone must have a name and be among the zones.
pub(super) fn zone(zones: &[String], zone: &str, key: String, findings: &mut Findings<'_>) {
    if zone.is_empty() {
        findings.add(key, Fault::ZoneName);
    } else if !zones.iter().any(|name| name == zone) {
        let fault = Fault::UnknownZone {
            zone: zone.to_owned(),
            choice: Choice::of(zone, zones),
        };
        findings.add(key, fault);
    }
}

pub(super) fn check_machine(config: &Config, machine: &Machine, findings: &mut Findings<'_>) {
    check_uplinks(config, machine, findings);
    for (index, interface) in config.interfaces.iter().enumerate() {
        if machine.addresses.contains_key(&interface.name) {
            continue;
        }
        let present: Vec<_> = machine.addresses.keys().collect();
        let fault = Fault::NoSuchInterface {
            name: interface.name.clone(),
            choice: Choice::of(&interface.name, &present),
        };
        findings.add(format!("interface[{index}].name"), fault);
    }
}

fn check_uplinks(config: &Config, machine: &Machine, findings: &mut Findings<'_>) {
    let present: Vec<_> = machine.addresses.keys().collect();
    for (index, name) in config.uplinks.iter().enumerate() {
        if !machine.addresses.contains_key(name) {
            let fault = Fault::NoSuchUplink {
                name: name.clone(),
                choice: Choice::of(name, &present),
            };
            findings.add(format!("uplinks[{index}]"), fault);
        }
    }
}

fn is_name(name: &str) -> bool {
    let sound = |c: char| !c.is_whitespace() && !c.is_control() && c != '/' && c != ':';
    (1..=MAX_NAME).contains(&name.len()) && name != "." && name != ".." && name.chars().all(sound)
}
