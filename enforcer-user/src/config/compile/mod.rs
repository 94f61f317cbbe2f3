//! From the configuration to the rows that the datapath holds.

mod nat;
mod roles;
mod rules;
mod scopes;

use std::{collections::HashSet, net::IpAddr, time::Duration};

use enforcer_common::{
    limits,
    role::{RoleId, RoleRow, RuleSet},
    settings::Scope,
};
use ipnet::IpNet;

pub use roles::RoleNames;
pub(super) use roles::{EVERYONE, is_built_in};

use super::{
    Config, Fail, HookChoice, Limits, Mode, Protocol, Service, Track, Vlan,
    management::{Management, ManagementError},
    track,
};
use crate::identity::Static;

/// Everything that the datapath is told by the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// Whether packets are stopped.
    pub mode: Mode,
    /// The zones; the place in this list is the number.
    pub zones: Vec<String>,
    /// The interfaces under enforcement.
    pub interfaces: Vec<InterfacePlan>,
    /// Names and numbers of the roles.
    pub roles: RoleNames,
    /// A row for every number of a role; those that no role has stop everything.
    pub role_rows: Vec<(RoleId, RoleRow)>,
    /// For each role and prefix its rules, those of the enclosing prefixes behind its own.
    pub rules: Vec<(RoleId, IpNet, RuleSet)>,
    /// For each zone and prefix what becomes of the addresses; each zone has both default routes.
    pub scopes: Vec<(u32, IpNet, Scope)>,
    /// How long an unknown host is held.
    pub unknown_timeout: Duration,
    /// Whether an unknown host's first datagram may go out.
    pub first_datagram: bool,
    /// The role of hosts whose source has gone silent.
    pub lease_expired: RoleId,
    /// What becomes of hosts when something fails.
    pub fail: Fail,
    /// How often the datapath answers and asks.
    pub limits: Limits,
    /// What is told of the hosts of each role, by its number.
    pub tracks: Vec<Track>,
    /// Blocks of ports of outside addresses, and whose they are.
    pub statics: Vec<Static>,
}

/// An interface to attach to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the configuration"
)]
pub struct InterfacePlan {
    /// Its name.
    pub name: String,
    /// The number of its zone.
    pub zone: u32,
    /// Where its ingress is judged.
    pub hook: HookChoice,
    /// The VLANs that it lets in.
    pub vlans: Vec<VlanPlan>,
    /// Whether frames without a VLAN are dropped.
    pub tagged_only: bool,
    /// Whether routers behind it may advertise themselves and redirect.
    pub routers: bool,
    /// Whether DHCP servers behind it may answer.
    pub dhcp_servers: bool,
    /// Whether hosts behind it are bound to their MAC addresses.
    pub bind_mac: bool,
}

/// A VLAN that an interface lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VlanPlan {
    /// Its number, or that of the outer tag.
    pub outer: u16,
    /// The number of the inner tag; 0 for none.
    pub inner: u16,
    /// The number of its zone.
    pub zone: u32,
}

impl InterfacePlan {
    /// Every zone whose hosts are behind the interface, with the VLANs that they are in; 0 for none.
    pub fn zones(&self) -> impl Iterator<Item = (u32, u16, u16)> {
        let untagged = (!self.tagged_only).then_some((self.zone, 0, 0));
        let vlans = self
            .vlans
            .iter()
            .map(|vlan| (vlan.zone, vlan.outer, vlan.inner));
        untagged.into_iter().chain(vlans)
    }
}

impl Compiled {
    /// What is told of the hosts of a role.
    pub fn track(&self, role: RoleId) -> Track {
        let track = self.tracks.get(usize::from(role.0));
        track.copied().unwrap_or(Track::None)
    }

    /// The zones in which hosts are bound to no MAC address.
    pub fn loose_zones(&self) -> HashSet<u32> {
        let loose = self.interfaces.iter().filter(|one| !one.bind_mac);
        loose
            .flat_map(InterfacePlan::zones)
            .map(|(zone, ..)| zone)
            .collect()
    }
}

/// Why a configuration cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A role that is not there.
    #[error("there is no role `{role}`")]
    UnknownRole {
        /// Its name.
        role: String,
    },
    /// A zone that is not there.
    #[error("there is no zone `{zone}`")]
    UnknownZone {
        /// Its name.
        zone: String,
    },
    /// No management server, or no clear one.
    #[error(transparent)]
    Management(#[from] ManagementError),
    /// More roles than fit.
    #[error("{count} roles beside the built-in ones, more than {}", roles::MAX_OWN)]
    TooManyRoles {
        /// How many.
        count: usize,
    },
    /// More interfaces than fit.
    #[error("{count} interfaces, more than {}", limits::INTERFACES)]
    TooManyInterfaces {
        /// How many.
        count: usize,
    },
    /// More scopes than fit.
    #[error("{count} scopes over all zones, more than {}", limits::SCOPES)]
    TooManyScopes {
        /// How many.
        count: usize,
    },
    /// More rules for one prefix than fit.
    #[error(
        "the role `{role}` has {count} rules for {prefix}, more than {} \
         (each range of ports counts)",
        limits::RULES_PER_PREFIX
    )]
    TooManyOwnRules {
        /// The role's name.
        role: String,
        /// The prefix.
        prefix: IpNet,
        /// How many.
        count: usize,
    },
    /// More rules for one prefix, with those of the prefixes around it, than fit.
    #[error(
        "the role `{role}` has {count} rules for {prefix} and the prefixes around it, more than {} \
         (each range of ports counts)",
        limits::RULES_IN_SET
    )]
    TooManyRules {
        /// The role's name.
        role: String,
        /// The prefix.
        prefix: IpNet,
        /// How many.
        count: usize,
    },
    /// More prefixes in rules than fit.
    #[error(
        "{count} prefixes in the rules of all roles, more than {}",
        limits::RULE_PREFIXES
    )]
    TooManyRulePrefixes {
        /// How many.
        count: usize,
    },
}

impl CompileError {
    /// The key that is at fault.
    pub(super) fn key(&self) -> String {
        match self {
            Self::UnknownRole { .. } => "lease.expired".to_owned(),
            Self::UnknownZone { .. } | Self::TooManyInterfaces { .. } => "interface".to_owned(),
            Self::Management(_) => "management".to_owned(),
            Self::TooManyRoles { .. } | Self::TooManyRulePrefixes { .. } => "role".to_owned(),
            Self::TooManyScopes { .. } => "scope".to_owned(),
            Self::TooManyOwnRules { role, .. } | Self::TooManyRules { role, .. } => {
                format!("role.{role}")
            }
        }
    }
}

impl Config {
    /// Compiles the configuration. `more` are services of the gateway that the file does not name
    /// itself: its portal, its own management server, a remote one whose name had to be looked up.
    pub fn compile(&self, more: &[Service]) -> Result<Compiled, CompileError> {
        self.compile_with(more, RoleNames::of(self, None)?)
    }

    /// The same with roles that keep the numbers that they had before.
    pub fn compile_after(
        &self,
        more: &[Service],
        before: &RoleNames,
    ) -> Result<Compiled, CompileError> {
        self.compile_with(more, RoleNames::of(self, Some(before))?)
    }

    fn compile_with(&self, more: &[Service], names: RoleNames) -> Result<Compiled, CompileError> {
        let management = management_services(&self.management)?;
        let services = self.services.iter().chain(more).chain(&management);
        let rules = rules::compile(self, &names, services)?;
        Ok(Compiled {
            mode: self.mode,
            zones: self.zone_names(),
            interfaces: self.interface_plan()?,
            role_rows: roles::rows(self, &names, &rules),
            rules,
            scopes: scopes::compile(self)?,
            unknown_timeout: self.unknown.timeout,
            first_datagram: self.unknown.first_datagram,
            lease_expired: names.require(&self.lease.expired)?,
            fail: self.fail,
            limits: self.limits.clone(),
            statics: nat::compile(self)?,
            tracks: track::compile(self, &names),
            roles: names,
        })
    }

    /// The zones in the order of their numbers.
    pub fn zone_names(&self) -> Vec<String> {
        if !self.zones.is_empty() {
            return self.zones.clone();
        }
        let mut names: Vec<String> = Vec::new();
        for interface in &self.interfaces {
            let vlans = interface.vlans.iter().filter_map(|vlan| vlan.zone.as_ref());
            for zone in std::iter::once(&interface.zone).chain(vlans) {
                if !names.contains(zone) {
                    names.push(zone.clone());
                }
            }
        }
        names
    }

    fn interface_plan(&self) -> Result<Vec<InterfacePlan>, CompileError> {
        let count = self.interfaces.len();
        if count > limits::INTERFACES {
            return Err(CompileError::TooManyInterfaces { count });
        }
        let zones = self.zone_names();
        let plan = self.interfaces.iter().map(|interface| {
            let vlan = |vlan: &Vlan| {
                let zone = vlan.zone.as_ref().unwrap_or(&interface.zone);
                Ok(VlanPlan {
                    outer: vlan.id,
                    inner: vlan.inner.unwrap_or(0),
                    zone: zone_number(&zones, zone)?,
                })
            };
            Ok(InterfacePlan {
                name: interface.name.clone(),
                zone: zone_number(&zones, &interface.zone)?,
                hook: interface.hook,
                vlans: interface
                    .vlans
                    .iter()
                    .map(vlan)
                    .collect::<Result<_, CompileError>>()?,
                tagged_only: !interface.untagged,
                routers: interface.routers,
                dhcp_servers: interface.dhcp_servers,
                bind_mac: interface.bind_mac,
            })
        });
        plan.collect()
    }
}

fn zone_number(zones: &[String], name: &str) -> Result<u32, CompileError> {
    let number = zones.iter().position(|zone| zone == name);
    number
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| CompileError::UnknownZone {
            zone: name.to_owned(),
        })
}

/// Remote management servers, which every host reaches to report, as far as their addresses are written as
/// such.
fn management_services(management: &Management) -> Result<Vec<Service>, CompileError> {
    let servers = management.servers()?;
    let services = servers.remote().iter().filter_map(|server| {
        let host = server.url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok()?;
        Some(Service {
            to: vec![address.into()],
            protocol: Protocol::TCP,
            ports: vec![server.url.port_or_known_default()?.into()],
        })
    });
    Ok(services.collect())
}
