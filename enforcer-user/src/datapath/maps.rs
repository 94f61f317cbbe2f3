//! The maps by name and type.

use aya::{
    Ebpf,
    maps::{Array, HashMap, LpmTrie, Map, MapData, MapError, PerCpuArray, RingBuf},
};
use enforcer_common::{
    bucket::Bucket,
    counter::Counter,
    host::{Asked, Blocked, FlowKey, HostKey, HostKeyV4, HostRow},
    role::{OwnedPrefix, RoleRow, RuleSet},
    settings::{InterfaceRow, Settings, VlanPair, VlanZone},
};

use super::{DatapathError, Events, pins::Pins, plain::Plain, policy::map};

/// Every map, as the object names it.
pub const NAMES: [&str; 21] = [
    "INTERFACES",
    "VLANS",
    "VLAN_PAIRS",
    "SETTINGS",
    "VERDICTS_V4",
    "VERDICTS_V6",
    "GENERATIONS",
    "HOSTS_V4",
    "HOSTS_V6",
    "LEASES",
    "SCOPES",
    "ROLES",
    "RULES",
    "ASKED",
    "BLOCKED",
    "PORTAL_FLOWS",
    "PORTAL_FRAGMENTS",
    "TOLD",
    "BUCKETS",
    "COUNTERS",
    "EVENTS",
];

/// The maps that user space reads or writes.
pub struct Maps {
    pub interfaces: Array<MapData, Plain<InterfaceRow>>,
    pub vlans: Array<MapData, Plain<VlanZone>>,
    pub vlan_pairs: HashMap<MapData, Plain<VlanPair>, Plain<VlanZone>>,
    pub settings: Array<MapData, Plain<Settings>>,
    pub generations: Array<MapData, u64>,
    pub hosts_v4: HashMap<MapData, Plain<HostKeyV4>, Plain<HostRow>>,
    pub hosts_v6: HashMap<MapData, Plain<HostKey>, Plain<HostRow>>,
    pub leases: Array<MapData, u64>,
    pub scopes: LpmTrie<MapData, Plain<OwnedPrefix>, u32>,
    pub roles: Array<MapData, Plain<RoleRow>>,
    pub rules: LpmTrie<MapData, Plain<OwnedPrefix>, Plain<RuleSet>>,
    pub asked: HashMap<MapData, Plain<HostKey>, Plain<Asked>>,
    pub blocked: HashMap<MapData, Plain<HostKey>, Plain<Blocked>>,
    pub told: HashMap<MapData, Plain<FlowKey>, u8>,
    pub buckets: PerCpuArray<MapData, Plain<Bucket>>,
    pub counters: PerCpuArray<MapData, Plain<Counter>>,
    /// The same maps once more, for batches: typed maps do not lend their descriptors.
    pub hosts_v4_rows: MapData,
    pub hosts_v6_rows: MapData,
    pub generations_rows: MapData,
    pub vlans_rows: MapData,
    pub blocked_rows: MapData,
    events: Option<RingBuf<MapData>>,
}

impl Maps {
    pub fn take(object: &mut Ebpf, pins: &Pins) -> Result<Self, DatapathError> {
        Ok(Self {
            interfaces: take(object, "INTERFACES")?,
            vlans: take(object, "VLANS")?,
            vlan_pairs: take(object, "VLAN_PAIRS")?,
            settings: take(object, "SETTINGS")?,
            generations: take(object, "GENERATIONS")?,
            hosts_v4: take(object, "HOSTS_V4")?,
            hosts_v6: take(object, "HOSTS_V6")?,
            leases: take(object, "LEASES")?,
            scopes: take(object, "SCOPES")?,
            roles: take(object, "ROLES")?,
            rules: take(object, "RULES")?,
            asked: take(object, "ASKED")?,
            blocked: take(object, "BLOCKED")?,
            told: take(object, "TOLD")?,
            buckets: take(object, "BUCKETS")?,
            counters: take(object, "COUNTERS")?,
            hosts_v4_rows: open(pins, "HOSTS_V4")?,
            hosts_v6_rows: open(pins, "HOSTS_V6")?,
            generations_rows: open(pins, "GENERATIONS")?,
            vlans_rows: open(pins, "VLANS")?,
            blocked_rows: open(pins, "BLOCKED")?,
            events: Some(take(object, "EVENTS")?),
        })
    }

    /// Every row of `GENERATIONS`.
    pub fn generations(&self) -> Result<Vec<u64>, DatapathError> {
        self.generations
            .iter()
            .collect::<Result<_, _>>()
            .map_err(map("GENERATIONS"))
    }

    pub fn take_events(&mut self) -> Result<Events, DatapathError> {
        Events::new(self.events.take().ok_or(DatapathError::Missing("EVENTS"))?)
    }
}

fn open(pins: &Pins, name: &'static str) -> Result<MapData, DatapathError> {
    MapData::from_pin(pins.map(name)).map_err(map(name))
}

fn take<M>(object: &mut Ebpf, name: &'static str) -> Result<M, DatapathError>
where
    M: TryFrom<Map, Error = MapError>,
{
    let map = object.take_map(name).ok_or(DatapathError::Missing(name))?;
    M::try_from(map).map_err(|error| DatapathError::Map { name, error })
}
