//! From a decision on the wire to the row in the kernel.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use enforcer_common::role::RoleId;
use serde::Serialize;

use crate::{
    spread::Tail,
    stage::{Stage, address},
    table::Line,
};

/// Hosts that are decided meanwhile.
const HOSTS: u32 = 100_000;
/// The first of those whose decisions are timed; the others change beside them.
const TIMED: u32 = 90_000;
/// Other changes in each millisecond, under load.
const PER_MS: u32 = 10;
/// Between one decision and the next: that they queue up is not what is measured.
const APART: Duration = Duration::from_millis(1);

/// How long decisions took.
#[derive(Serialize)]
pub struct Row {
    beside: &'static str,
    /// Changes a second that the server really told beside them.
    changes_per_second: f64,
    ms: Tail,
}

/// Measures when it is quiet, and beside other changes.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let count = if quick { 300 } else { 3000 };
    let stage = Stage::new()?;
    let all = (0..HOSTS).map(|number| (address(number), "authorized"));
    stage.server.decide(all);
    let gateway = stage.start()?;
    let observer = stage.observer()?;
    observer.once(address(HOSTS - 1), RoleId::AUTHORIZED)?;
    let quiet = Row {
        beside: "nothing",
        changes_per_second: 0.0,
        ms: timed(&stage, count)?,
    };
    let stop = AtomicBool::new(false);
    let loaded = thread::scope(|scope| -> Result<Row> {
        let told = scope.spawn(|| change_others(&stage, &stop));
        let ms = timed(&stage, count);
        stop.store(true, Ordering::Relaxed);
        Ok(Row {
            beside: "other changes",
            changes_per_second: told.join().expect("no panic"),
            ms: ms?,
        })
    })?;
    drop(gateway);
    Ok(vec![quiet, loaded])
}

/// Milliseconds of so many decisions, one after the other.
fn timed(stage: &Stage, count: u32) -> Result<Tail> {
    let observer = stage.observer()?;
    let one = |round: u32| -> Result<f64> {
        let address = address(TIMED + round % (HOSTS - TIMED));
        let now = observer.role(address);
        let (name, role) = match now {
            Some(RoleId::AUTHORIZED) => ("quarantine", RoleId::QUARANTINE),
            _ => ("authorized", RoleId::AUTHORIZED),
        };
        let begin = Instant::now();
        stage.server.change(address, name);
        let took = observer.once(address, role)?.duration_since(begin);
        thread::sleep(APART);
        Ok(took.as_secs_f64() * 1e3)
    };
    let times: Vec<f64> = (0..count).map(one).collect::<Result<_>>()?;
    Ok(Tail::of(times))
}

/// Changes other hosts at an even pace until it is told to stop; how many in a second.
fn change_others(stage: &Stage, stop: &AtomicBool) -> f64 {
    let begin = Instant::now();
    let mut told = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = u32::try_from(begin.elapsed().as_millis()).unwrap_or(u32::MAX);
        while told < due.saturating_mul(PER_MS) {
            let role = if (told / TIMED).is_multiple_of(2) {
                "quarantine"
            } else {
                "authorized"
            };
            stage.server.change(address(told % TIMED), role);
            told += 1;
        }
        thread::sleep(APART);
    }
    f64::from(told) / begin.elapsed().as_secs_f64()
}

impl Line for Row {
    const HEADS: &[&str] = &[
        "decision → in force, beside",
        "changes/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.beside.to_owned(),
            format!("{:.0}", self.changes_per_second),
        ];
        cells.extend(self.ms.cells());
        cells
    }
}
