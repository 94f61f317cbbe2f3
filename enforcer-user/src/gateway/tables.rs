//! What the configuration puts into the kernel's tables.

use std::{collections::HashSet, net::IpAddr};

use enforcer_common::{host::Host, settings::Scope};
use ipnet::IpNet;

use super::addresses::Addresses;
use crate::{
    config::Compiled,
    controller,
    datapath::{Datapath, DatapathError},
};

/// The gateway's own addresses, in the zones of their interfaces.
pub(crate) fn own_hosts(compiled: &Compiled, addresses: &Addresses) -> HashSet<Host> {
    let interfaces = compiled.interfaces.iter();
    let hosts = interfaces.flat_map(|interface| {
        addresses.of(&interface.name).map(|address| Host {
            zone: interface.zone,
            address: address.into(),
        })
    });
    hosts.collect()
}

/// Writes mode, roles, rules and scopes; the gateway's own addresses are no hosts.
pub(crate) fn fill(
    datapath: &mut Datapath,
    compiled: &Compiled,
    own: &HashSet<Host>,
) -> Result<(), DatapathError> {
    datapath.set_rulings(&controller::rulings(compiled))?;
    datapath.set_roles(&compiled.role_rows)?;
    datapath.set_rules(&compiled.rules)?;
    let own = own.iter().map(|host| {
        let address = IpNet::from(IpAddr::from(host.address));
        (host.zone, address, Scope::Own)
    });
    let scopes: Vec<_> = compiled.scopes.iter().copied().chain(own).collect();
    datapath.set_scopes(&scopes)
}
