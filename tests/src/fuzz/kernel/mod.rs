//! The kernel programs against the shared code, by the tables of a world.

mod act;
mod check;
mod events;
mod flows;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use enforcer::datapath::{Bench, Effects, HostChange};

use super::{
    law,
    world::{Memory, World},
};
use crate::{gate::Gate, tally::Tally};
pub use act::Act;
use enforcer_common::{
    counter::{Counter, Hook},
    decide::{Direction, Reason, Verdict},
    host::{Host, HostRow},
};
use events::Reports;
use flows::Flows;

/// Rows that the datapath may have written before its tables, which forget what is old, are too full to be foreseen: a
/// fraction of the smallest.
const WRITTEN: usize = 1_000;

/// The same for what they forget of flows that are silent for minutes.
const OLD: Duration = Duration::from_mins(2);

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// All agree.
    Same(Seen),
    /// The time alone, or how much of a rate is left, may have changed the verdict: the laws were checked, no more.
    Unsure,
    /// The kernel runs no program on a frame that short.
    TooShort,
}

/// What was seen of a case that agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The verdict.
    pub verdict: Verdict,
    /// What was done.
    pub done: Verdict,
    /// Why.
    pub reason: Reason,
    /// Whether it was only counted.
    pub monitored: bool,
    /// By which law a frame that passed did so.
    pub law: Option<law::Why>,
    /// What became of its bytes.
    pub act: Act,
}

/// Programs with the tables of a world, on one CPU.
pub struct Kernel {
    // Before the gate, whose ring it reads.
    reports: Reports,
    gate: Gate,
    /// The same programs, without effects.
    dry: Bench,
    cpu: usize,
    world: World,
    memory: Memory,
    flows: Flows,
    /// A reading of the clock, and for how many cases it does.
    now: (u64, u32),
    /// From then on nothing can be foreseen any more.
    old: u64,
    cases: u32,
    before: Tally,
    counted: BTreeMap<u32, Counter>,
}

impl Kernel {
    /// Loads the programs, for the world that comes first. The calling thread is bound to this CPU.
    pub fn new(cpu: usize, world: World) -> Result<Self> {
        let mut gate = Gate::new()?;
        world.write(&mut gate, None)?;
        let clock = gate.datapath.clock();
        let old = clock.now()? + clock.ticks(OLD);
        Ok(Self {
            reports: Reports::of(&mut gate.datapath)?,
            dry: gate.datapath.bench_on(0, Effects::None)?,
            cpu,
            memory: Memory::of(&world, &gate)?,
            world,
            flows: Flows::default(),
            now: (0, 0),
            old,
            cases: 0,
            before: Tally::of(&gate.datapath)?,
            counted: BTreeMap::new(),
            gate,
        })
    }

    /// Whether so much was written that what the tables forget can no longer be foreseen.
    pub fn is_worn(&self) -> bool {
        self.flows.written() > WRITTEN || self.now.0 > self.old
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Puts another world in place of the one before.
    pub fn enter(&mut self, world: World) -> Result<()> {
        world.write(&mut self.gate, Some(&self.world))?;
        self.world = world;
        self.memory = Memory::of(&self.world, &self.gate)?;
        self.before = Tally::of(&self.gate.datapath)?;
        self.counted.clear();
        Ok(())
    }

    /// Decides of a host, or forgets what was decided.
    pub fn change(&mut self, host: Host, row: Option<HostRow>) -> Result<()> {
        let change = if let Some(row) = row {
            self.world.hosts.insert(host, row);
            HostChange::Set(host, row)
        } else {
            self.world.hosts.remove(&host);
            HostChange::Remove(host)
        };
        Ok(self.gate.datapath.apply(&[change])?)
    }

    /// Whether counters and events say what was seen since the world was entered; and how many events there were.
    pub fn check_reports(&mut self) -> Result<usize> {
        let events = self.reports.check()?;
        let after = Tally::of(&self.gate.datapath)?;
        let grown: BTreeMap<_, _> = self.before.until(&after).into_iter().collect();
        ensure!(
            grown == self.counted,
            "counted {grown:?}, not {:?}",
            self.counted
        );
        Ok(events)
    }
}

/// Which way frames travel at a hook.
pub const fn way(hook: Hook) -> Direction {
    match hook {
        Hook::Xdp | Hook::TcIngress => Direction::FromHost,
        Hook::TcEgress => Direction::ToHost,
    }
}
