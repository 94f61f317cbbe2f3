//! Random worlds and packets: the kernel program's code and the reason that it counts are those of the
//! shared code on the same tables.

mod flows;
mod packet;
mod world;

use std::{cell::RefCell, net::IpAddr};

use anyhow::{Result, ensure};
use enforcer_common::{
    counter::Outcome,
    decide::{Direction, Judgement},
    role::RoleId,
};
use enforcer_tests::{
    gate::{Gate, code, hooks},
    tally::{Tally, one},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::{flows::Flows, packet::frame, world::World};

/// So many worlds take about twenty seconds on two cores.
const WORLDS: u32 = 110;

/// What happens in a world.
#[derive(Clone, Debug)]
enum Step {
    Send(Direction, Vec<u8>),
    Decide(IpAddr, RoleId),
    Forget(IpAddr),
}

fn step() -> impl Strategy<Value = Step> {
    let way = prop_oneof![2 => Just(Direction::FromHost), 1 => Just(Direction::ToHost)];
    prop_oneof![
        8 => (way, frame()).prop_map(|(way, frame)| Step::Send(way, frame)),
        1 => (world::address(), world::role()).prop_map(|(host, role)| Step::Decide(host, role)),
        1 => world::address().prop_map(Step::Forget),
    ]
}

/// A run takes less than these jiffies; where the time alone may change the verdict, nothing is said.
const PATIENCE: u64 = 100;

/// The judgement, unless it may be another one by the time that the program runs.
fn foreseen(gate: &Gate, way: Direction, frame: &[u8]) -> Result<Option<(Judgement, u64)>> {
    let now = gate.datapath.clock().now()?;
    let judged = gate.judge(way, frame, now)?.judgement;
    let later = gate.judge(way, frame, now + PATIENCE)?.judgement;
    let same = (judged.verdict, judged.reason) == (later.verdict, later.reason);
    Ok(same.then_some((judged, now + PATIENCE)))
}

fn compare(gate: &Gate, flows: &mut Flows, way: Direction, frame: &[u8]) -> Result<bool> {
    let Some((judged, latest)) = foreseen(gate, way, frame)? else {
        gate.run(hooks(way)[0], frame)?;
        flows.follow(way, frame, &judged_now(gate, way, frame)?);
        return Ok(false);
    };
    let before = Tally::of(&gate.datapath)?;
    let ran = gate.run(hooks(way)[0], frame)?;
    let counted = before.until(&Tally::of(&gate.datapath)?);
    let done = flows.follow(way, frame, &judged);
    if gate.datapath.clock().now()? > latest {
        return Ok(false);
    }
    let outcome = if judged.monitored {
        Outcome::WouldStop
    } else {
        Outcome::Done(done)
    };
    let expected = one(hooks(way)[0], outcome, judged.reason, frame.len());
    ensure!(
        counted == expected,
        "counted {counted:?} for {judged:?}, {done:?}: {frame:02x?}"
    );
    let expected = code(hooks(way)[0], done, judged.monitored);
    ensure!(
        ran.code == expected,
        "code {} for {judged:?}, {done:?}: {frame:02x?}",
        ran.code
    );
    Ok(true)
}

fn judged_now(gate: &Gate, way: Direction, frame: &[u8]) -> Result<Judgement> {
    let now = gate.datapath.clock().now()?;
    Ok(gate.judge(way, frame, now)?.judgement)
}

#[test]
fn kernel_and_shared_code_say_the_same() -> Result<()> {
    let gate = RefCell::new(Gate::new()?);
    let flows = RefCell::new(Flows::default());
    let compared = RefCell::new(0_u32);
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::with_cases(WORLDS)
    });
    let strategy = (World::any(), vec(step(), 1..160));
    runner.run(&strategy, |(world, steps)| {
        let (mut gate, mut flows) = (gate.borrow_mut(), flows.borrow_mut());
        let mut live = || -> Result<()> {
            world.write(&mut gate)?;
            for step in &steps {
                match step {
                    Step::Send(way, frame) => {
                        let sure = compare(&gate, &mut flows, *way, frame)?;
                        *compared.borrow_mut() += u32::from(sure);
                    }
                    Step::Decide(host, role) => gate.decide(*host, *role)?,
                    Step::Forget(host) => gate.forget(*host)?,
                }
            }
            Ok(())
        };
        live().map_err(|error| TestCaseError::fail(format!("{error:#}")))
    })?;
    let compared = compared.into_inner();
    println!("{compared} packets compared");
    assert!(
        compared > WORLDS * 30,
        "only {compared} packets were compared"
    );
    Ok(())
}
