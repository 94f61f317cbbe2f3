//! Runs cases in several threads, each on a CPU of its own, until there are enough.

mod round;

use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};

use super::{count::Counts, finding::Finding, kernel::Kernel, world};
use crate::cpu;

/// More findings than these are of the same mistake.
const ENOUGH: usize = 10;

/// How often progress is told.
const TELL: Duration = Duration::from_secs(3);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where chance begins.
    pub seed: u64,
    /// Threads; no more than CPUs.
    pub jobs: usize,
    /// When to end.
    pub end: End,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// After so many cases.
    Cases(u64),
    /// After this time.
    Time(Duration),
    /// After the world with this number, and no other.
    World(u64),
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// What was done.
    pub counts: Counts,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a thread tells of a world.
#[derive(Default)]
struct Round {
    counts: Counts,
    findings: Vec<Finding>,
}

/// What the threads share.
struct Shared {
    seed: u64,
    next: AtomicU64,
    stop: AtomicBool,
}

/// Runs cases, and tells `progress` of them now and then.
pub fn run(options: &Options, mut progress: impl FnMut(&Report)) -> Result<Report> {
    let (first, jobs) = match options.end {
        End::World(number) => (number, 1),
        End::Cases(_) | End::Time(_) => (0, options.jobs),
    };
    let shared = &Shared {
        seed: options.seed,
        next: AtomicU64::new(first),
        stop: AtomicBool::new(matches!(options.end, End::World(_))),
    };
    let cpus = cpu::all_of_this_process()?;
    thread::scope(|scope| {
        let (sender, rounds) = mpsc::channel();
        let workers: Vec<_> = cpus
            .iter()
            .take(jobs.max(1))
            .map(|cpu| {
                let sender = sender.clone();
                scope.spawn(move || {
                    let worked = work(*cpu, shared, &sender);
                    // Without this one the others would go on for as long as they were told to.
                    if worked.is_err() {
                        shared.stop.store(true, Ordering::Relaxed);
                    }
                    worked
                })
            })
            .collect();
        drop(sender);
        let report = gather(options, shared, &rounds, &mut progress);
        for worker in workers {
            let worked = worker.join();
            worked.map_err(|_| anyhow!("a worker panicked, see above"))??;
        }
        Ok(report)
    })
}

/// Adds up what the threads tell, and stops them when it is enough.
fn gather(
    options: &Options,
    shared: &Shared,
    rounds: &mpsc::Receiver<Round>,
    progress: &mut impl FnMut(&Report),
) -> Report {
    let started = Instant::now();
    let mut report = Report::default();
    let mut told = started;
    loop {
        match rounds.recv_timeout(TELL) {
            Ok(Round { counts, findings }) => {
                report.counts += counts;
                report.findings.extend(findings);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return report,
        }
        report.elapsed = started.elapsed();
        let enough = match options.end {
            End::Cases(cases) => report.counts.cases() >= cases,
            End::Time(time) => report.elapsed >= time,
            End::World(_) => true,
        };
        if enough || report.findings.len() >= ENOUGH {
            shared.stop.store(true, Ordering::Relaxed);
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            progress(&report);
        }
    }
}

/// Goes through one world after the other. Programs whose tables are worn, or that showed something, are loaded anew.
fn work(cpu: usize, shared: &Shared, sender: &Sender<Round>) -> Result<()> {
    cpu::pin(cpu)?;
    let mut kernel: Option<Kernel> = None;
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let world = world::random(shared.seed, number);
        let mut here = match kernel.take().filter(|kernel| !kernel.is_worn()) {
            Some(mut kernel) => {
                kernel.enter(world)?;
                kernel
            }
            None => Kernel::new(cpu, world)?,
        };
        let round = round::run(&mut here, shared.seed, number)
            .with_context(|| format!("the bench failed in world {number}"))?;
        if round.findings.is_empty() {
            kernel = Some(here);
        }
        sender.send(round).context("nobody listens")?;
        if shared.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
}
