//! Properties of the whole registry, against the plainest way to compute the same.

use std::collections::{BTreeMap, HashMap};

use enforcer_common::{
    host::{Address, Host, SourceId},
    role::RoleId,
};
use enforcer_protocol::judgement::Level;
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;

const SOURCES: [SourceId; 2] = [SourceId::MANAGEMENT, SourceId(3)];

/// Strictest first.
const ROLES: [RoleId; 7] = [
    RoleId::DENIED,
    RoleId::QUARANTINE,
    RoleId(9),
    RoleId(8),
    RoleId::UNKNOWN,
    RoleId::AUTHORIZED,
    RoleId::BYPASS,
];

#[derive(Clone, Debug)]
enum Step {
    Replace(SourceId, Vec<Decided>),
    Decide(SourceId, Decided),
    Withdraw(SourceId, EndpointId),
    Rebind(SourceId, EndpointId, Vec<Bound>),
    Except(Host, Exception),
    Release(Host),
    Place(Host, Option<Mac>),
    Unknown(Host, Timestamp),
    Pass(i64),
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn a_host() -> impl Strategy<Value = Host> {
    (0..2u32, 0..3u8).prop_map(|(zone, last)| Host {
        zone,
        address: Address::v4([10, 0, 0, last]),
    })
}

fn an_endpoint() -> impl Strategy<Value = EndpointId> {
    select(&["a", "b", "c", "d"][..]).prop_map(EndpointId::from)
}

fn a_mac() -> impl Strategy<Value = Option<Mac>> {
    option::of((1..3u8).prop_map(|last| Mac([2, 0, 0, 0, 0, last])))
}

fn some_hosts() -> impl Strategy<Value = Vec<Bound>> {
    vec(
        (a_host(), a_mac()).prop_map(|(host, mac)| Bound { host, mac }),
        0..3,
    )
}

fn an_end() -> impl Strategy<Value = Option<Timestamp>> {
    option::of((1..200i64).prop_map(at))
}

fn a_decision() -> impl Strategy<Value = Decided> {
    let what = (an_endpoint(), select(&ROLES[..]), an_end());
    (what, some_hosts(), any::<bool>()).prop_map(
        |((endpoint, role, valid_until), hosts, by_address)| Decided {
            endpoint,
            role,
            valid_until,
            hosts,
            by_address,
            ..decided("", RoleId::UNKNOWN, vec![])
        },
    )
}

pub(super) fn decided(endpoint: &str, role: RoleId, hosts: Vec<Bound>) -> Decided {
    Decided {
        endpoint: endpoint.into(),
        name: String::new(),
        owner: None,
        role,
        level: Level::Safe,
        reasons: vec![],
        judged_at: Timestamp::UNIX_EPOCH,
        valid_until: None,
        hosts,
        by_address: false,
    }
}

pub(super) fn exception(role: RoleId, until: Option<Timestamp>) -> Exception {
    Exception {
        role,
        reason: "test".to_owned(),
        by: Operator {
            uid: 0,
            name: "root".to_owned(),
            pid: None,
        },
        since: Timestamp::UNIX_EPOCH,
        until,
    }
}

fn an_exception() -> impl Strategy<Value = Exception> {
    (select(&ROLES[..]), an_end()).prop_map(|(role, until)| exception(role, until))
}

fn a_step() -> impl Strategy<Value = Step> {
    let source = || select(&SOURCES[..]);
    prop_oneof![
        (source(), vec(a_decision(), 0..4)).prop_map(|(s, d)| Step::Replace(s, d)),
        (source(), a_decision()).prop_map(|(s, d)| Step::Decide(s, d)),
        (source(), an_endpoint()).prop_map(|(s, e)| Step::Withdraw(s, e)),
        (source(), an_endpoint(), some_hosts()).prop_map(|(s, e, h)| Step::Rebind(s, e, h)),
        (a_host(), an_exception()).prop_map(|(h, e)| Step::Except(h, e)),
        a_host().prop_map(Step::Release),
        (a_host(), a_mac()).prop_map(|(h, mac)| Step::Place(h, mac)),
        (a_host(), 1..200i64).prop_map(|(h, end)| Step::Unknown(h, at(end))),
        (0..40i64).prop_map(Step::Pass),
    ]
}

/// Keeps everything and computes each host from scratch.
#[derive(Debug, Default)]
struct Plain {
    now: i64,
    revision: u64,
    decisions: BTreeMap<(SourceId, EndpointId), Decided>,
    exceptions: HashMap<Host, Exception>,
    unknown: HashMap<Host, Timestamp>,
}

impl Plain {
    fn decide(&mut self, source: SourceId, decided: Decided) {
        for bound in &decided.hosts {
            self.unknown.remove(&bound.host);
        }
        self.decisions
            .insert((source, decided.endpoint.clone()), decided);
    }

    fn has_decision(&self, host: &Host) -> bool {
        let mut bound = self.decisions.values().flat_map(|decided| &decided.hosts);
        bound.any(|bound| bound.host == *host)
    }

    /// Does the step here and there, and returns what the registry yields.
    fn apply(&mut self, registry: &mut Registry, step: Step) -> Vec<Change> {
        self.revision += 1;
        let revision = self.revision;
        match step {
            Step::Replace(source, decisions) => {
                self.decisions.retain(|(by, _), _| *by != source);
                for decided in decisions.clone() {
                    self.decide(source, decided);
                }
                registry
                    .replace(source, revision, decisions)
                    .expect("newer")
            }
            Step::Decide(source, decided) => {
                self.decide(source, decided.clone());
                registry.decide(source, revision, decided).expect("newer")
            }
            Step::Withdraw(source, endpoint) => {
                self.decisions.remove(&(source, endpoint.clone()));
                registry
                    .withdraw(source, revision, &endpoint)
                    .expect("newer")
            }
            Step::Rebind(source, endpoint, hosts) => {
                if let Some(decided) = self.decisions.get(&(source, endpoint.clone())).cloned() {
                    self.decide(
                        source,
                        Decided {
                            hosts: hosts.clone(),
                            ..decided
                        },
                    );
                }
                registry.rebind(source, &endpoint, hosts)
            }
            Step::Except(host, exception) => {
                self.exceptions.insert(host, exception.clone());
                registry.except(host, exception)
            }
            Step::Release(host) => {
                self.exceptions.remove(&host);
                registry.release(&host)
            }
            // No role changes by it.
            Step::Place(host, mac) => registry.place(host, mac),
            Step::Unknown(host, until) => {
                if !self.has_decision(&host) {
                    self.unknown.insert(host, until);
                }
                registry.answer_unknown(host, until)
            }
            Step::Pass(seconds) => {
                self.now += seconds;
                let now = at(self.now);
                let lasts = |end: Option<Timestamp>| end.is_none_or(|end| end > now);
                self.decisions
                    .retain(|_, decided| lasts(decided.valid_until));
                self.exceptions
                    .retain(|_, exception| lasts(exception.until));
                self.unknown.retain(|_, until| *until > now);
                registry.expire(now)
            }
        }
    }

    fn roles(&self) -> HashMap<Host, RoleId> {
        let mut roles: HashMap<_, _> = self
            .unknown
            .keys()
            .map(|host| (*host, RoleId::UNKNOWN))
            .collect();
        let place = |role| ROLES.iter().position(|listed| *listed == role);
        for decided in self.decisions.values() {
            for bound in &decided.hosts {
                let role = roles.entry(bound.host).or_insert(decided.role);
                if place(decided.role) < place(*role) {
                    *role = decided.role;
                }
            }
        }
        roles.extend(
            self.exceptions
                .iter()
                .map(|(host, exception)| (*host, exception.role)),
        );
        roles
    }
}

fn apply(table: &mut HashMap<Host, Row>, changes: Vec<Change>) {
    for change in changes {
        let before = match change.after {
            Some(row) => table.insert(change.host, row),
            None => table.remove(&change.host),
        };
        assert_eq!(before, change.before, "{change:?}");
        assert_ne!(before, change.after, "no difference: {change:?}");
    }
}

fn roles(table: &HashMap<Host, Row>) -> HashMap<Host, RoleId> {
    table.iter().map(|(host, row)| (*host, row.role)).collect()
}

proptest! {
    #[test]
    fn changes_add_up_to_the_table_computed_from_scratch(steps in vec(a_step(), 0..40)) {
        let (mut registry, mut plain) = (Registry::default(), Plain::default());
        let mut table = HashMap::new();
        for step in steps {
            apply(&mut table, plain.apply(&mut registry, step));
            prop_assert_eq!(roles(&table), plain.roles());
            let views: HashMap<_, _> = registry.hosts().map(|view| (view.host, view.row)).collect();
            prop_assert_eq!(&views, &table);
            prop_assert_eq!(registry.counts().map(|(_, n)| n).sum::<usize>(), table.len());
            prop_assert_eq!(registry.reconcile(table.clone()), vec![]);
        }
    }

    #[test]
    fn order_does_not_matter(decisions in vec(a_decision(), 0..8).prop_shuffle()) {
        let unique: BTreeMap<_, _> =
            decisions.into_iter().map(|decided| (decided.endpoint.clone(), decided)).collect();
        let decide = |decisions: &mut dyn Iterator<Item = &Decided>| {
            let (mut registry, mut table) = (Registry::default(), HashMap::new());
            for (revision, decided) in (1..).zip(decisions) {
                let changes = registry.decide(SourceId::MANAGEMENT, revision, decided.clone());
                apply(&mut table, changes.expect("newer"));
            }
            table
        };
        let forwards = decide(&mut unique.values());
        prop_assert_eq!(&forwards, &decide(&mut unique.values().rev()));
        let mut snapshot = HashMap::new();
        let decisions = unique.into_values().collect();
        let changes = Registry::default().replace(SourceId::MANAGEMENT, 9, decisions);
        apply(&mut snapshot, changes.expect("newer"));
        prop_assert_eq!(forwards, snapshot);
    }

    #[test]
    fn what_was_adopted_stays_until_the_snapshot(
        left in proptest::collection::hash_map(a_host(), select(&ROLES[..]), 0..6),
        decisions in vec(a_decision(), 0..4),
    ) {
        let row = |role| Row { role, source: SourceId::MANAGEMENT, mac: None, until: None };
        let mut table: HashMap<_, _> = left.into_iter().map(|(host, role)| (host, row(role))).collect();
        let mut registry = Registry::default();
        prop_assert_eq!(registry.adopt(&[SourceId::MANAGEMENT], table.clone(), []), vec![]);
        let snapshot = registry.replace(SourceId::MANAGEMENT, 1, decisions.clone());
        apply(&mut table, snapshot.expect("the first"));
        let mut fresh = HashMap::new();
        let alone = Registry::default().replace(SourceId::MANAGEMENT, 1, decisions);
        apply(&mut fresh, alone.expect("the first"));
        prop_assert_eq!(table, fresh);
    }
}
