//! A world as the decision reads it: from memory, but for what the datapath itself writes.

use enforcer::datapath::LiveTables;

use super::{Prefixes, World};
use crate::gate::Gate;
use anyhow::{Context, Result};
use enforcer_common::{
    bucket::Purpose,
    decide::Tables,
    host::{Asked, FlowKey, Host, HostRow, SourceId},
    packet::Vlans,
    role::{RoleId, RoleRow, RuleSet},
    settings::{InterfaceRow, Scope, Settings},
};

/// The tables of a world. What user space wrote is read from memory: a system call for each row would cost more than the
/// rest of a case. What the programs write is read from the maps.
pub struct Memory {
    rules: Prefixes<RuleSet>,
    scopes: Prefixes<Scope>,
    settings: Settings,
    /// The row of the interface.
    pub interface: InterfaceRow,
}

/// The same at a moment, on a CPU.
pub struct Now<'a> {
    memory: &'a Memory,
    world: &'a World,
    live: LiveTables<'a>,
}

impl Memory {
    /// The tables of the world that was written to this gate.
    pub fn of(world: &World, gate: &Gate) -> Result<Self> {
        let live = gate.datapath.live(0);
        Ok(Self {
            rules: world.rule_prefixes(),
            scopes: world.scope_prefixes(),
            settings: live.settings(),
            interface: live.interface().context("no row of the interface")?,
        })
    }

    /// What a packet would meet that comes in on this CPU.
    pub fn now<'a>(&'a self, world: &'a World, gate: &'a Gate, cpu: usize) -> Now<'a> {
        Now {
            memory: self,
            world,
            live: gate.datapath.live(0).on_cpu(cpu),
        }
    }

    /// The scope of a host.
    pub fn scope(&self, host: &Host) -> Scope {
        let scope = self.scopes.longest(host.zone, host.address.mapped());
        scope.copied().unwrap_or(Scope::Checked)
    }

    /// The rules of a role for a remote address, which is mapped.
    pub fn rules(&self, role: RoleId, remote: [u8; 16]) -> Option<&RuleSet> {
        self.rules.longest(role.0.into(), remote)
    }
}

impl Now<'_> {
    /// Whether the rate leaves one more.
    pub fn may(&self, purpose: Purpose, now: u64) -> bool {
        self.live.may(purpose, now)
    }
}

impl Tables for Now<'_> {
    fn host(&self, host: &Host) -> Option<HostRow> {
        self.world.hosts.get(host).copied()
    }

    fn lease(&self, source: SourceId) -> u64 {
        self.world.leases.get(&source).copied().unwrap_or(0)
    }

    fn scope(&self, host: &Host) -> Scope {
        self.memory.scope(host)
    }

    fn role(&self, role: RoleId) -> RoleRow {
        self.world.role(role)
    }

    fn rules(&self, role: RoleId, remote: &[u8; 16]) -> Option<&RuleSet> {
        self.memory.rules(role, *remote)
    }

    fn asked(&self, host: &Host) -> Option<Asked> {
        self.live.asked(host)
    }

    fn may_ask(&self, now: u64) -> bool {
        self.live.may_ask(now)
    }

    fn told(&self, flow: &FlowKey) -> bool {
        self.live.told(flow)
    }

    fn vlan_zone(&self, vlans: Vlans) -> Option<u32> {
        self.world.zone(vlans.outer, vlans.inner)
    }

    fn settings(&self) -> Settings {
        self.memory.settings
    }
}
