//! The live maps, as the decision reads them: what explanations are made from.

use std::cell::OnceCell;

use aya::maps::lpm_trie::Key;
use enforcer_common::{
    bucket::Purpose,
    decide::Tables,
    host::{Asked, Family, FlowKey, Host, HostRow, SourceId},
    packet::Vlans,
    role::{OwnedPrefix, RoleId, RoleRow, RuleSet},
    settings::{InterfaceRow, Scope, Settings, VlanPair},
};

use super::{Datapath, plain::Plain};

/// Reads the maps as they are now. A row that cannot be read counts as absent, as in the kernel.
pub struct LiveTables<'a> {
    datapath: &'a Datapath,
    interface: u32,
    cpu: Option<usize>,
    // Rules are handed out by reference. At most two sets are asked for: the role's own and the one
    // for everyone.
    own: OnceCell<Option<RuleSet>>,
    everyone: OnceCell<Option<RuleSet>>,
}

impl Datapath {
    /// The maps as they are now, for judging one packet on the interface with this row.
    pub fn live(&self, interface: u32) -> LiveTables<'_> {
        LiveTables {
            datapath: self,
            interface,
            cpu: None,
            own: OnceCell::new(),
            everyone: OnceCell::new(),
        }
    }
}

impl LiveTables<'_> {
    /// The row of the interface, if it has one.
    pub fn interface(&self) -> Option<InterfaceRow> {
        let row = self.datapath.maps.interfaces.get(&self.interface, 0);
        row.ok().map(|Plain(row)| row)
    }

    /// The same for a packet that is judged on this CPU; else any may be the one.
    #[must_use]
    pub fn on_cpu(self, cpu: usize) -> Self {
        let cpu = Some(cpu);
        Self { cpu, ..self }
    }

    /// Whether the rate leaves one more.
    pub fn may(&self, purpose: Purpose, now: u64) -> bool {
        let Ok(buckets) = self.datapath.maps.buckets.get(&(purpose as u32), 0) else {
            return false;
        };
        let settings = self.settings();
        let rate = match purpose {
            Purpose::Reply | Purpose::Portal => &settings.replies,
            Purpose::Question | Purpose::Report => &settings.questions,
        };
        match self.cpu {
            Some(cpu) => buckets
                .get(cpu)
                .is_some_and(|Plain(bucket)| bucket.has(now, rate)),
            None => buckets.iter().any(|Plain(bucket)| bucket.has(now, rate)),
        }
    }
}

impl Tables for LiveTables<'_> {
    fn host(&self, host: &Host) -> Option<HostRow> {
        let maps = &self.datapath.maps;
        let row = match host.address.family() {
            Family::V4 => maps.hosts_v4.get(&Plain(host.key_v4()), 0),
            Family::V6 => maps.hosts_v6.get(&Plain(host.key()), 0),
        };
        row.ok().map(|Plain(row)| row)
    }

    fn lease(&self, source: SourceId) -> u64 {
        self.datapath.lease(source).unwrap_or(0)
    }

    fn scope(&self, host: &Host) -> Scope {
        let prefix = OwnedPrefix::new(host.zone, host.address.mapped());
        let key = Key::new(OwnedPrefix::BITS, Plain(prefix));
        match self.datapath.maps.scopes.get(&key, 0) {
            Ok(number) => Scope::from_number(number),
            Err(_) => Scope::Checked,
        }
    }

    fn role(&self, role: RoleId) -> RoleRow {
        let row = self.datapath.maps.roles.get(&u32::from(role.0), 0);
        row.map(|Plain(row)| row).unwrap_or_default()
    }

    fn rules(&self, role: RoleId, remote: &[u8; 16]) -> Option<&RuleSet> {
        let cell = if role == RoleId::EVERYONE {
            &self.everyone
        } else {
            &self.own
        };
        cell.get_or_init(|| {
            let prefix = OwnedPrefix::new(u32::from(role.0), *remote);
            let key = Key::new(OwnedPrefix::BITS, Plain(prefix));
            self.datapath
                .maps
                .rules
                .get(&key, 0)
                .ok()
                .map(|Plain(set)| set)
        })
        .as_ref()
    }

    fn asked(&self, host: &Host) -> Option<Asked> {
        let asked = self.datapath.maps.asked.get(&Plain(host.key()), 0);
        asked.ok().map(|Plain(asked)| asked)
    }

    fn may_ask(&self, now: u64) -> bool {
        self.may(Purpose::Question, now)
    }

    fn told(&self, flow: &FlowKey) -> bool {
        self.datapath.maps.told.get(&Plain(*flow), 0).is_ok()
    }

    fn vlan_zone(&self, vlans: Vlans) -> Option<u32> {
        let maps = &self.datapath.maps;
        let zone = if vlans.inner == 0 {
            let row = super::vlans::row(self.interface, vlans.outer);
            maps.vlans.get(&row, 0)
        } else {
            let pair = VlanPair {
                interface: self.interface,
                outer: vlans.outer,
                inner: vlans.inner,
            };
            maps.vlan_pairs.get(&Plain(pair), 0)
        };
        zone.ok().and_then(|Plain(zone)| zone.zone())
    }

    fn settings(&self) -> Settings {
        let settings = self.datapath.maps.settings.get(&0, 0);
        settings.map_or(Settings::CLOSED, |Plain(settings)| settings)
    }
}
