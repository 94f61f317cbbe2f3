//! Tables at random.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use enforcer::datapath::{IngressChoice, Plan, Rulings, VlanPlan};
use ipnet::IpNet;
use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::{SILENT, World};
use crate::{
    fixture::{HOST_MAC, v4, v6},
    fuzz::site::{OTHER_MAC, Site},
    gate::{PORTAL, UNLIMITED, VLANS},
};
use enforcer_common::{
    host::{FOREVER, Family, Host, HostRow, Origin, SourceId},
    role::{RoleId, RoleRow, Rule},
    settings::{Scope, Undecided},
};

/// The roles that hosts and tables have, one beyond the table's end among them.
const ROLES: [RoleId; 8] = [
    RoleId::UNKNOWN,
    RoleId::AUTHORIZED,
    RoleId::AUTHORIZED,
    RoleId::QUARANTINE,
    RoleId::QUARANTINE,
    RoleId::DENIED,
    RoleId::BYPASS,
    RoleId::FIRST_OWN,
];

/// So many worlds in a row share what is costly to write.
const SHARED: u64 = 16;

/// The world with this number.
pub fn random(seed: u64, number: u64) -> World {
    let site = source(seed, number).random();
    at(Site(site), seed, number)
}

/// The same with its hosts at this site.
pub fn at(site: Site, seed: u64, number: u64) -> World {
    let rng = &mut source(seed.rotate_left(1), number);
    let shared = &mut source(seed.rotate_left(2), number / SHARED);
    World {
        site,
        scopes: scopes(shared),
        leases: leases(shared),
        plan: plan(rng),
        rulings: rulings(rng),
        roles: roles(rng),
        rules: rules(rng, site),
        hosts: hosts(rng, site),
    }
}

/// What happens in the world with this number, apart from what it is.
pub fn source(seed: u64, number: u64) -> SmallRng {
    // Numbers in a row must not make seeds that overlap those of another seed's.
    SmallRng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn one_in(rng: &mut impl Rng, times: u32) -> bool {
    rng.random_ratio(1, times)
}

fn pick<T: Copy>(rng: &mut impl Rng, from: &[T]) -> T {
    *from.choose(rng).expect("some")
}

fn plan(rng: &mut impl Rng) -> Plan {
    let addresses = match rng.random_range(0..10) {
        0 => vec![v4(1)],
        1 => vec![v6(1)],
        2 => vec![],
        _ => vec![v4(1), v6(1)],
    };
    let mut vlans = VLANS.to_vec();
    if one_in(rng, 4) {
        vlans.retain(|_| rng.random());
    }
    if one_in(rng, 4) {
        let (outer, inner) = (4095, 1);
        vlans.push(VlanPlan {
            outer,
            inner,
            zone: 1,
        });
    }
    Plan {
        interface: "bench".into(),
        zone: u32::from(one_in(rng, 6)),
        ingress: IngressChoice::Native,
        portal_port: (!one_in(rng, 7)).then_some(PORTAL),
        addresses,
        vlans,
        tagged_only: one_in(rng, 8),
        routers: one_in(rng, 4),
        dhcp_servers: one_in(rng, 4),
    }
}

fn limit(rng: &mut impl Rng) -> u32 {
    match rng.random_range(0..10) {
        0 => 0,
        1 => rng.random_range(1..40),
        _ => UNLIMITED,
    }
}

fn rulings(rng: &mut impl Rng) -> Rulings {
    Rulings {
        enforce: !one_in(rng, 7),
        unknown_timeout: pick(rng, &[Duration::ZERO, Duration::from_mins(10)]),
        first_datagram: rng.random(),
        lease_expired: pick(rng, &ROLES),
        lease_holds: one_in(rng, 4),
        undecided: pick(
            rng,
            &[
                Undecided::Stopped,
                Undecided::Stopped,
                Undecided::PassLater,
                Undecided::Pass,
            ],
        ),
        replies_per_second: limit(rng),
        questions_per_second: limit(rng),
    }
}

fn roles(rng: &mut impl Rng) -> BTreeMap<RoleId, RoleRow> {
    use RoleRow as Row;
    let told = Row::PORTAL | Row::REJECT;
    let usual = [
        (RoleId::AUTHORIZED, Row::ALLOW),
        (RoleId::BYPASS, Row::ALLOW),
        (RoleId::QUARANTINE, Row::RULES | told),
        (RoleId::UNKNOWN, told),
        (RoleId::DENIED, 0),
        (RoleId::FIRST_OWN, Row::ALLOW | Row::RULES | Row::REJECT),
        (RoleId::EVERYONE, Row::RULES),
    ];
    let mut flags = |usual: u32| {
        let flags = if one_in(rng, 3) {
            rng.random_range(0..16)
        } else {
            usual
        };
        if one_in(rng, 10) {
            flags | Row::MONITOR
        } else {
            flags
        }
    };
    usual
        .into_iter()
        .map(|(role, usual)| (role, Row::new(flags(usual))))
        .collect()
}

fn prefix(rng: &mut impl Rng, address: IpAddr) -> IpNet {
    let (most, usual) = if address.is_ipv4() {
        (32, [0, 8, 16, 24, 32, 32])
    } else {
        (128, [0, 8, 16, 64, 128, 128])
    };
    let bits = if one_in(rng, 6) {
        rng.random_range(0..=most)
    } else {
        pick(rng, &usual)
    };
    IpNet::new(address, bits)
        .expect("a short enough prefix")
        .trunc()
}

fn family(rng: &mut impl Rng) -> Family {
    pick(rng, &[Family::V4, Family::V6])
}

fn rules(rng: &mut impl Rng, site: Site) -> Vec<(RoleId, IpNet, Vec<Rule>)> {
    let owners = [&ROLES[..], &[RoleId::EVERYONE; 4]].concat();
    let mut rules: BTreeMap<(RoleId, IpNet), Vec<Rule>> = BTreeMap::new();
    for _ in 0..rng.random_range(0..16) {
        let family = family(rng);
        let address = site.address(rng, family);
        let count = if one_in(rng, 12) {
            32
        } else {
            rng.random_range(0..6)
        };
        let some = (0..count).map(|_| rule(rng)).collect();
        rules.insert((pick(rng, &owners), prefix(rng, address)), some);
    }
    rules
        .into_iter()
        .map(|((role, prefix), rules)| (role, prefix, rules))
        .collect()
}

fn rule(rng: &mut impl Rng) -> Rule {
    let ports = [
        (0, u16::MAX),
        (53, 53),
        (80, 443),
        (68, 547),
        (PORTAL, PORTAL),
        (443, 443),
    ];
    let (first_port, last_port) = pick(rng, &ports);
    Rule {
        first_port,
        last_port,
        protocol: pick(rng, &[6, 6, 17, 58, 1, 132, Rule::ANY_PROTOCOL]),
        allow: u8::from(!one_in(rng, 3)),
        any_port: u8::from(one_in(rng, 3)),
        pad: 0,
    }
}

fn scopes(rng: &mut impl Rng) -> Vec<(u32, IpNet, Scope)> {
    let net = |text: &str| text.parse::<IpNet>().expect("a prefix");
    let mut scopes: BTreeMap<(u32, IpNet), Scope> = BTreeMap::new();
    for zone in [0, 1] {
        for (prefix, scope) in [
            ("0.0.0.0/0", Scope::Checked),
            ("::/0", Scope::Checked),
            ("198.51.100.0/24", Scope::Outside),
            ("203.0.113.0/24", Scope::Bypassed),
            ("2001:db8:5::/48", Scope::Outside),
            ("2001:db8:6::/48", Scope::Bypassed),
            ("192.0.2.1/32", Scope::Own),
            ("2001:db8::1/128", Scope::Own),
        ] {
            if !one_in(rng, 6) {
                scopes.insert((zone, net(prefix)), scope);
            }
        }
        for _ in 0..rng.random_range(0..4) {
            let (family, site) = (family(rng), Site(rng.random()));
            let address = site.address(rng, family);
            let all = [
                Scope::Checked,
                Scope::Checked,
                Scope::Bypassed,
                Scope::Outside,
                Scope::Own,
            ];
            scopes.insert((zone, prefix(rng, address)), pick(rng, &all));
        }
    }
    scopes
        .into_iter()
        .map(|((zone, prefix), scope)| (zone, prefix, scope))
        .collect()
}

fn leases(rng: &mut impl Rng) -> BTreeMap<SourceId, u64> {
    let management = if one_in(rng, 8) { 1 } else { FOREVER };
    BTreeMap::from([
        (SourceId::GATEWAY, FOREVER),
        (SourceId::OPERATOR, FOREVER),
        (SourceId::MANAGEMENT, management),
    ])
}

/// Rows of some of the hosts at a site.
fn hosts(rng: &mut impl Rng, site: Site) -> BTreeMap<Host, HostRow> {
    let mut hosts = BTreeMap::new();
    for address in site.all_hosts() {
        for zone in [0, 1] {
            if rng.random_ratio(2, 3) {
                let address = address.into();
                hosts.insert(Host { zone, address }, row(rng));
            }
        }
    }
    hosts
}

/// A decision.
pub fn row(rng: &mut impl Rng) -> HostRow {
    use SourceId as Source;
    let sources = [
        Source::GATEWAY,
        Source::OPERATOR,
        Source::MANAGEMENT,
        Source::MANAGEMENT,
    ];
    let source = if one_in(rng, 8) {
        SILENT
    } else {
        pick(rng, &sources)
    };
    let origin = Origin::of(source);
    HostRow {
        deadline: pick(rng, &[FOREVER, FOREVER, FOREVER, 1]),
        mac: pick(rng, &[[0; 6], [0; 6], HOST_MAC, HOST_MAC, OTHER_MAC]),
        role: if one_in(rng, 40) {
            RoleId(rng.random())
        } else {
            pick(rng, &ROLES)
        },
        origin: if one_in(rng, 4) {
            origin.closing()
        } else {
            origin
        },
    }
}
