//! Packets and changes in any order.

use std::{cell::RefCell, net::IpAddr};

use anyhow::Result;
use enforcer::datapath::HostChange;
use enforcer_common::{
    host::{FOREVER, Host, HostRow, Origin, SourceId},
    role::{RoleId, RoleRow},
    settings::Scope,
};
use enforcer_tests::{
    fixture::{HOST_MAC, OTHER_MAC},
    gate::{Gate, host},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, subsequence},
    test_runner::TestRunner,
};

use crate::{alike, check, v4, v6};

/// A role that the test gives a meaning, and changes it.
const OWN: RoleId = RoleId::FIRST_OWN;

/// A source whose lease the test ends and renews.
const SOURCE: SourceId = SourceId(7);

/// What is decided of a host without end.
#[derive(Clone, Copy, Debug)]
struct Decision {
    role: RoleId,
    source: SourceId,
    /// The MAC address that it is bound to, if it is.
    mac: [u8; 6],
    closing: bool,
}

impl Decision {
    fn row(self) -> HostRow {
        let origin = Origin::of(self.source);
        HostRow {
            deadline: FOREVER,
            mac: self.mac,
            role: self.role,
            origin: if self.closing {
                origin.closing()
            } else {
                origin
            },
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Decide(Vec<(IpAddr, Decision)>),
    DecideForAMoment(IpAddr),
    Remove(Vec<IpAddr>),
    Mean(bool),
    EndLease,
    EndLeaseInAMoment,
    Renew,
    Scope(Scope),
}

fn step(hosts: &[IpAddr]) -> impl Strategy<Value = Step> + use<> {
    let one = select(hosts.to_vec());
    let role = select(vec![RoleId::AUTHORIZED, RoleId::DENIED, OWN]);
    let source = select(vec![SourceId::MANAGEMENT, SOURCE]);
    // Packets come from the second of these.
    let mac = select(vec![[0; 6], HOST_MAC, OTHER_MAC]);
    let decision =
        (role, source, mac, any::<bool>()).prop_map(|(role, source, mac, closing)| Decision {
            role,
            source,
            mac,
            closing,
        });
    let some = subsequence(hosts.to_vec(), 1..=hosts.len());
    let decided = (some.clone(), vec(decision, hosts.len()))
        .prop_map(|(hosts, with)| hosts.into_iter().zip(with).collect());
    prop_oneof![
        6 => decided.prop_map(Step::Decide),
        1 => one.prop_map(Step::DecideForAMoment),
        3 => some.prop_map(Step::Remove),
        2 => any::<bool>().prop_map(Step::Mean),
        1 => Just(Step::EndLease),
        1 => Just(Step::EndLeaseInAMoment),
        2 => Just(Step::Renew),
        2 => select(vec![Scope::Checked, Scope::Bypassed, Scope::Outside]).prop_map(Step::Scope),
    ]
}

/// Makes a change; returns when it has its full effect, in jiffies.
fn apply(gate: &mut Gate, step: &Step) -> Result<u64> {
    let now = gate.datapath.clock().now()?;
    let soon = now + 2;
    match step {
        Step::Decide(decided) => {
            let changes: Vec<_> = decided
                .iter()
                .map(|(address, decision)| HostChange::Set(host(*address), decision.row()))
                .collect();
            gate.datapath.apply(&changes)?;
        }
        Step::DecideForAMoment(address) => {
            let row = HostRow {
                deadline: soon,
                mac: [0; 6],
                role: RoleId::AUTHORIZED,
                origin: Origin::of(SourceId::MANAGEMENT),
            };
            gate.datapath
                .apply(&[HostChange::Set(host(*address), row)])?;
            return Ok(soon);
        }
        Step::Remove(hosts) => {
            let changes: Vec<_> = hosts.iter().map(|a| HostChange::Remove(host(*a))).collect();
            gate.datapath.apply(&changes)?;
        }
        Step::Mean(allow) => gate.datapath.set_roles(&roles(*allow))?,
        Step::EndLease => gate.datapath.set_lease(SOURCE, now)?,
        Step::EndLeaseInAMoment => {
            gate.datapath.set_lease(SOURCE, soon)?;
            return Ok(soon);
        }
        Step::Renew => gate.datapath.set_lease(SOURCE, FOREVER)?,
        Step::Scope(scope) => gate.datapath.set_scopes(&scopes(*scope)?)?,
    }
    Ok(now)
}

fn roles(own_allows: bool) -> Vec<(RoleId, RoleRow)> {
    let own = if own_allows { RoleRow::ALLOW } else { 0 };
    vec![
        (RoleId::AUTHORIZED, RoleRow::new(RoleRow::ALLOW)),
        (OWN, RoleRow::new(own)),
    ]
}

fn scopes(of_the_hosts: Scope) -> Result<Vec<(u32, ipnet::IpNet, Scope)>> {
    Ok(vec![
        (0, "0.0.0.0/0".parse()?, Scope::Checked),
        (0, "::/0".parse()?, Scope::Checked),
        (0, "10.0.0.0/8".parse()?, of_the_hosts),
        (0, "2001:db8:9::/48".parse()?, of_the_hosts),
    ])
}

/// Before and after each change every host sends on every CPU, so that every cache holds what is to be
/// forgotten.
fn run(gate: &mut Gate, hosts: &[IpAddr], steps: &[Step]) -> Result<()> {
    for step in steps {
        check(gate, hosts)?;
        let full_effect = apply(gate, step)?;
        check(gate, hosts)?;
        while gate.datapath.clock().now()? < full_effect {
            check(gate, hosts)?;
        }
    }
    check(gate, hosts)
}

#[test]
fn every_packet_is_judged_by_what_the_tables_say() -> Result<()> {
    let mut hosts = vec![v4(1), v6(1)];
    for family in [v4, v6] {
        hosts.extend(alike(family, Host::slot));
        hosts.extend(alike(family, Host::bucket));
    }
    hosts.sort_unstable();
    hosts.dedup();
    let gate = RefCell::new(Gate::new()?);
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    });
    runner.run(&vec(step(&hosts), 1..12), |steps| {
        run(&mut gate.borrow_mut(), &hosts, &steps)
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))
    })?;
    Ok(())
}
