//! Tables in memory.

use std::collections::{HashMap, HashSet};

use bytemuck::Zeroable;
use enforcer_common::{
    decide::Tables,
    host::{Asked, FOREVER, FlowKey, Host, HostRow, Origin, SourceId},
    packet::Vlans,
    role::{RoleId, RoleRow, Rule, RuleSet},
    settings::{InterfaceRow, Scope, Settings},
};

/// What the kernel holds in its maps. A host in no scope is checked, as there.
#[derive(Clone, Debug)]
pub struct Model {
    /// The interface that every packet comes in or goes out by; its hosts without a VLAN are in zone 0.
    pub interface: InterfaceRow,
    pub vlans: HashMap<(u16, u16), u32>,
    pub hosts: HashMap<Host, HostRow>,
    pub leases: HashMap<SourceId, u64>,
    pub scopes: HashMap<Host, Scope>,
    pub roles: HashMap<RoleId, RoleRow>,
    pub rules: HashMap<(RoleId, [u8; 16]), RuleSet>,
    pub asked: HashMap<Host, Asked>,
    pub told: HashSet<FlowKey>,
    pub may_ask: bool,
    pub settings: Settings,
}

impl Model {
    /// Enforcing, with nothing in any table.
    pub fn empty() -> Self {
        Self {
            interface: InterfaceRow::zeroed(),
            vlans: HashMap::new(),
            hosts: HashMap::new(),
            leases: HashMap::new(),
            scopes: HashMap::new(),
            roles: HashMap::new(),
            rules: HashMap::new(),
            asked: HashMap::new(),
            told: HashSet::new(),
            may_ask: true,
            settings: Settings {
                unknown_timeout: 200,
                report_every: 100,
                forget_after: 3000,
                ..Settings::CLOSED
            },
        }
    }

    /// The management server says this of a host, without end.
    pub fn decide(&mut self, host: Host, role: RoleId) {
        self.leases.insert(SourceId::MANAGEMENT, FOREVER);
        let row = HostRow {
            deadline: FOREVER,
            mac: [0; 6],
            role,
            origin: Origin::of(SourceId::MANAGEMENT),
        };
        self.hosts.insert(host, row);
    }

    /// The same, of a host that is bound to this MAC address.
    pub fn bind(&mut self, host: Host, role: RoleId, mac: [u8; 6]) {
        self.decide(host, role);
        self.change(host, |row| row.mac = mac);
    }

    /// The same, of a host that has just lost a role which let it pass.
    pub fn close(&mut self, host: Host, role: RoleId) {
        self.decide(host, role);
        self.change(host, |row| row.origin = row.origin.closing());
    }

    fn change(&mut self, host: Host, how: impl FnOnce(&mut HostRow)) {
        how(self.hosts.get_mut(&host).expect("a host that was decided"));
    }
}

/// Rules as a row holds them.
pub fn set(rules: &[Rule]) -> RuleSet {
    let mut set = RuleSet::zeroed();
    set.rules[..rules.len()].copy_from_slice(rules);
    set.count = u32::try_from(rules.len()).expect("a short set");
    set
}

impl Tables for Model {
    fn host(&self, host: &Host) -> Option<HostRow> {
        self.hosts.get(host).copied()
    }

    fn lease(&self, source: SourceId) -> u64 {
        self.leases.get(&source).copied().unwrap_or(0)
    }

    fn scope(&self, host: &Host) -> Scope {
        self.scopes.get(host).copied().unwrap_or(Scope::Checked)
    }

    fn role(&self, role: RoleId) -> RoleRow {
        self.roles.get(&role).copied().unwrap_or_default()
    }

    fn rules(&self, role: RoleId, remote: &[u8; 16]) -> Option<&RuleSet> {
        self.rules.get(&(role, *remote))
    }

    fn asked(&self, host: &Host) -> Option<Asked> {
        self.asked.get(host).copied()
    }

    fn may_ask(&self, _now: u64) -> bool {
        self.may_ask
    }

    fn told(&self, flow: &FlowKey) -> bool {
        self.told.contains(flow)
    }

    fn vlan_zone(&self, vlans: Vlans) -> Option<u32> {
        self.vlans.get(&(vlans.outer, vlans.inner)).copied()
    }

    fn settings(&self) -> Settings {
        self.settings
    }
}
