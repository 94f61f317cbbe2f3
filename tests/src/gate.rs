//! The real programs on a bench, with tables that a test fills.

use std::{net::IpAddr, time::Duration};

use anyhow::Context;

use enforcer::datapath::{
    Bench, Datapath, HostChange, IngressChoice, Options, Plan, Ran, Rulings, Sample, Size, VlanPlan,
};
use enforcer_common::{
    counter::Hook,
    decide::{self, Direction, Judged, Verdict},
    host::{FOREVER, Host, HostRow, Origin, SourceId},
    packet::protocol,
    role::{RoleId, RoleRow, Rule, RuleSet},
    settings::{Scope, Undecided},
};

use crate::{bpffs::BpfFs, fixture};

/// `XDP_DROP`.
pub const XDP_DROP: u32 = 1;
/// `XDP_PASS`.
pub const XDP_PASS: u32 = 2;
/// `XDP_TX`.
pub const XDP_TX: u32 = 3;
/// `TC_ACT_UNSPEC`: whoever is next is asked.
pub const TC_PASS: u32 = u32::MAX;
/// `TC_ACT_SHOT`.
pub const TC_SHOT: u32 = 2;

/// `TC_ACT_REDIRECT`.
pub const TC_REDIRECT: u32 = 7;

/// The VLANs that the bench lets in: 7 alone and doubled belongs to zone 0, 20 to zone 1, as 30 inside it does.
pub const VLANS: [VlanPlan; 4] = [
    vlan(7, 0, 0),
    vlan(7, 7, 0),
    vlan(20, 0, 1),
    vlan(20, 30, 1),
];

const fn vlan(outer: u16, inner: u16, zone: u32) -> VlanPlan {
    VlanPlan { outer, inner, zone }
}

/// More than a test run can make.
pub const UNLIMITED: u32 = 1 << 30;

/// A role that lets everything pass but what its rules deny: TCP 22 and SCTP 5060 of the remediation server.
pub const GUEST: RoleId = RoleId::FIRST_OWN;

/// A role that only counts what it would stop.
pub const WATCHED: RoleId = RoleId(RoleId::FIRST_OWN.0 + 1);

/// The port of the portal on the bench.
pub const PORTAL: u16 = 8480;

/// A gateway's programs and tables. Zone 0 is checked everywhere but in 198.51.100.0/24 and
/// `2001:db8:5::/48` (outside), and 203.0.113.0/24 and `2001:db8:6::/48` (bypassed); 192.0.2.1 and `2001:db8::1` are the
/// gateway's own.
pub struct Gate {
    /// The tables.
    pub datapath: Datapath,
    /// The programs.
    pub bench: Bench,
    plan: Plan,
    _bpffs: BpfFs,
}

impl Gate {
    /// An enforcing gateway that knows nobody, with the usual roles; quarantined hosts reach TCP 443 of
    /// the remediation server 192.0.2.200, and 192.0.2.201 wholly.
    pub fn new() -> anyhow::Result<Self> {
        Self::with_capacity(4096)
    }

    /// The same with room for so many hosts of each family.
    pub fn with_capacity(host_capacity: u32) -> anyhow::Result<Self> {
        let bpffs = BpfFs::new()?;
        let options = Options {
            pin_dir: bpffs.pin_dir(),
            host_capacity,
        };
        let mut datapath = Datapath::open(options)?;
        datapath.set_rulings(&rulings())?;
        datapath.set_roles(&roles())?;
        datapath.set_rules(&rules()?)?;
        datapath.set_scopes(&scopes()?)?;
        datapath.set_lease(SourceId::GATEWAY, FOREVER)?;
        datapath.set_lease(SourceId::MANAGEMENT, FOREVER)?;
        let plan = plan();
        let bench = datapath.bench(&plan, 0)?;
        Ok(Self {
            datapath,
            bench,
            plan,
            _bpffs: bpffs,
        })
    }

    /// Makes this of the interface.
    pub fn set_plan(&mut self, plan: Plan) -> anyhow::Result<()> {
        if plan != self.plan {
            self.datapath.set_interface(0, &plan)?;
            self.plan = plan;
        }
        Ok(())
    }

    /// Gives a host a role, by the management server.
    pub fn decide(&mut self, address: IpAddr, role: RoleId) -> anyhow::Result<()> {
        let row = HostRow {
            deadline: FOREVER,
            mac: [0; 6],
            role,
            origin: Origin::of(SourceId::MANAGEMENT),
        };
        self.set(host(address), row)
    }

    /// Writes the row of a host.
    pub fn set(&mut self, host: Host, row: HostRow) -> anyhow::Result<()> {
        Ok(self.datapath.apply(&[HostChange::Set(host, row)])?)
    }

    /// Forgets what is decided of a host.
    pub fn forget(&mut self, address: IpAddr) -> anyhow::Result<()> {
        Ok(self.datapath.apply(&[HostChange::Remove(host(address))])?)
    }

    /// Runs the ingress program once.
    pub fn from_host(&self, packet: &[u8]) -> anyhow::Result<Ran> {
        self.run(Hook::Xdp, packet)
    }

    /// Runs the egress program once.
    pub fn to_host(&self, packet: &[u8]) -> anyhow::Result<Ran> {
        self.run(Hook::TcEgress, packet)
    }

    /// Runs the program of a hook many times.
    pub fn repeat(&self, hook: Hook, packet: &[u8], repeat: u32) -> anyhow::Result<Ran> {
        Ok(self.bench.run(hook, packet, repeat)?)
    }

    /// How large the programs are.
    pub fn sizes(&self) -> anyhow::Result<Vec<Size>> {
        Ok(self.bench.sizes()?)
    }

    /// Runs the program of a hook once.
    pub fn run(&self, hook: Hook, packet: &[u8]) -> anyhow::Result<Ran> {
        Ok(self.bench.run(hook, packet, 1)?)
    }

    /// What the shared code, in this process and at this time, says of a frame on the same tables.
    pub fn judge(&self, way: Direction, frame: &[u8], now: u64) -> anyhow::Result<Judged> {
        let tables = self.datapath.live(0);
        let interface = tables.interface().context("no row of the interface")?;
        Ok(decide::judge_frame(frame, way, &interface, &tables, now))
    }

    /// Packets counted with this hook, outcome and reason.
    pub fn counted(&self, hook: &str, outcome: &str, reason: &str) -> anyhow::Result<u64> {
        let samples = self.datapath.counters()?;
        let found = samples
            .iter()
            .find(|s| s.hook == hook && s.outcome == outcome && s.reason == reason);
        Ok(found.map_or(0, |Sample { packets, .. }| *packets))
    }
}

/// The hooks where packets that travel this way are judged.
pub const fn hooks(way: Direction) -> &'static [Hook] {
    match way {
        Direction::FromHost => &[Hook::Xdp, Hook::TcIngress],
        Direction::ToHost => &[Hook::TcEgress],
    }
}

/// The code with which the program of a hook carries out a verdict.
pub fn code(hook: Hook, done: Verdict, monitored: bool) -> u32 {
    let stops = !monitored;
    match (hook, done) {
        (Hook::Xdp, Verdict::Drop) if stops => XDP_DROP,
        (Hook::Xdp, Verdict::Reject) if stops => XDP_TX,
        (Hook::Xdp, _) => XDP_PASS,
        (_, Verdict::Drop) if stops => TC_SHOT,
        (_, Verdict::Reject) if stops => TC_REDIRECT,
        _ => TC_PASS,
    }
}

/// The host in zone 0 with this address.
pub fn host(address: IpAddr) -> Host {
    Host {
        zone: 0,
        address: address.into(),
    }
}

/// The interface of the bench.
pub fn plan() -> Plan {
    Plan {
        interface: "bench".into(),
        zone: 0,
        ingress: IngressChoice::Native,
        portal_port: Some(PORTAL),
        addresses: vec![fixture::v4(1), fixture::v6(1)],
        vlans: VLANS.to_vec(),
        tagged_only: false,
        routers: false,
        dhcp_servers: false,
    }
}

/// Enforcing, with two seconds for an answer.
pub fn rulings() -> Rulings {
    Rulings {
        enforce: true,
        unknown_timeout: Duration::from_secs(2),
        first_datagram: false,
        lease_expired: RoleId::UNKNOWN,
        lease_holds: false,
        undecided: Undecided::Stopped,
        replies_per_second: UNLIMITED,
        questions_per_second: UNLIMITED,
    }
}

fn roles() -> Vec<(RoleId, RoleRow)> {
    use RoleRow as Row;
    let told = Row::PORTAL | Row::REJECT;
    vec![
        (RoleId::AUTHORIZED, Row::new(Row::ALLOW)),
        (RoleId::BYPASS, Row::new(Row::ALLOW)),
        (RoleId::QUARANTINE, Row::new(Row::RULES | told)),
        (RoleId::UNKNOWN, Row::new(told)),
        (RoleId::DENIED, Row::new(0)),
        (GUEST, Row::new(Row::ALLOW | Row::RULES | Row::REJECT)),
        (WATCHED, Row::new(Row::MONITOR | told)),
        (RoleId::EVERYONE, Row::new(Row::RULES)),
    ]
}

fn rules() -> anyhow::Result<Vec<(RoleId, ipnet::IpNet, RuleSet)>> {
    let services = [tcp(PORTAL), udp(53), udp(67), udp(547)];
    let all = Rule {
        protocol: Rule::ANY_PROTOCOL,
        any_port: 1,
        ..tcp(0)
    };
    let denied = |rule| Rule { allow: 0, ..rule };
    let sctp = Rule {
        protocol: protocol::SCTP,
        ..tcp(5060)
    };
    let of_guests = [denied(tcp(22)), denied(sctp)];
    let mut rules = Vec::new();
    for (role, last, set_of) in [
        (RoleId::QUARANTINE, "200", &[tcp(443)][..]),
        (RoleId::QUARANTINE, "201", &[all]),
        (GUEST, "200", &of_guests),
        (RoleId::EVERYONE, "1", &services),
    ] {
        rules.push((role, format!("192.0.2.{last}/32").parse()?, set(set_of)));
        rules.push((role, format!("2001:db8::{last}/128").parse()?, set(set_of)));
    }
    Ok(rules)
}

fn scopes() -> anyhow::Result<Vec<(u32, ipnet::IpNet, Scope)>> {
    Ok(vec![
        (0, "0.0.0.0/0".parse()?, Scope::Checked),
        (0, "::/0".parse()?, Scope::Checked),
        (0, "198.51.100.0/24".parse()?, Scope::Outside),
        (0, "203.0.113.0/24".parse()?, Scope::Bypassed),
        (0, "2001:db8:5::/48".parse()?, Scope::Outside),
        (0, "2001:db8:6::/48".parse()?, Scope::Bypassed),
        (0, "192.0.2.1/32".parse()?, Scope::Own),
        (0, "2001:db8::1/128".parse()?, Scope::Own),
        (1, "192.0.2.1/32".parse()?, Scope::Own),
        (1, "2001:db8::1/128".parse()?, Scope::Own),
    ])
}

/// Rules as a row of the table holds them.
pub fn set(rules: &[Rule]) -> RuleSet {
    let mut set: RuleSet = bytemuck::Zeroable::zeroed();
    set.rules[..rules.len()].copy_from_slice(rules);
    set.count = u32::try_from(rules.len()).expect("a short set");
    set
}

fn tcp(port: u16) -> Rule {
    Rule {
        first_port: port,
        last_port: port,
        protocol: 6,
        allow: 1,
        any_port: 0,
        pad: 0,
    }
}

fn udp(port: u16) -> Rule {
    Rule {
        protocol: 17,
        ..tcp(port)
    }
}
