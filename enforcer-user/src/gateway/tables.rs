//! What the configuration puts into the kernel's tables.

use std::{collections::HashSet, net::IpAddr};

use enforcer_common::{host::Host, settings::Scope};
use ipnet::IpNet;

use super::addresses::Addresses;
use crate::{
    config::{Compiled, Config, HookChoice, InterfacePlan, VlanPlan},
    datapath::{self, Datapath, DatapathError, IngressChoice, Plan, Rulings},
};

/// The gateway's own addresses, in the zones of their interfaces and VLANs.
pub(crate) fn own_hosts(compiled: &Compiled, addresses: &Addresses) -> HashSet<Host> {
    let host = |zone, address: IpAddr| Host {
        zone,
        address: address.into(),
    };
    let mut own = HashSet::new();
    for interface in &compiled.interfaces {
        let untagged = addresses.of(&interface.name);
        own.extend(untagged.map(|address| host(interface.zone, address)));
        for (zone, outer, inner) in interface.zones() {
            let innermost = if inner == 0 { outer } else { inner };
            let vlans = addresses.of_vlans(&interface.name);
            let of_it = vlans.filter(|(id, _)| *id == innermost);
            own.extend(of_it.map(|(_, address)| host(zone, address)));
        }
    }
    own
}

/// What is wanted on an interface. Behind its own addresses stand those of its VLANs: where it has none itself,
/// the portal is reached by one of theirs.
pub(crate) fn plan(config: &Config, interface: &InterfacePlan, addresses: &Addresses) -> Plan {
    let name = &interface.name;
    let vlans = addresses.of_vlans(name).map(|(_, address)| address);
    let vlan = |vlan: &VlanPlan| datapath::VlanPlan {
        outer: vlan.outer,
        inner: vlan.inner,
        zone: vlan.zone,
    };
    Plan {
        interface: name.clone(),
        zone: interface.zone,
        ingress: match interface.hook {
            HookChoice::Auto => IngressChoice::Auto,
            HookChoice::Xdp => IngressChoice::Native,
            HookChoice::Tc => IngressChoice::Tc,
            HookChoice::XdpGeneric => IngressChoice::Generic,
        },
        portal_port: Some(config.portal.port),
        addresses: addresses.of(name).chain(vlans).collect(),
        vlans: interface.vlans.iter().map(vlan).collect(),
        tagged_only: interface.tagged_only,
        routers: interface.routers,
        dhcp_servers: interface.dhcp_servers,
    }
}

/// Writes mode, roles, rules and scopes; the gateway's own addresses are no hosts.
pub(crate) fn fill(
    datapath: &mut Datapath,
    rulings: &Rulings,
    compiled: &Compiled,
    own: &HashSet<Host>,
) -> Result<(), DatapathError> {
    datapath.set_rulings(rulings)?;
    datapath.set_roles(&compiled.role_rows)?;
    datapath.set_rules(&compiled.rules)?;
    let own = own.iter().map(|host| {
        let address = IpNet::from(IpAddr::from(host.address));
        (host.zone, address, Scope::Own)
    });
    let scopes: Vec<_> = compiled.scopes.iter().copied().chain(own).collect();
    datapath.set_scopes(&scopes)
}
