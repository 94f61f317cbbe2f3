//! The story, step by step.

mod ask;
mod comply;
mod count;
mod download;
mod kill;
mod lease;
mod monitor;
mod quarantine;
mod repair;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use super::report::{Line, Observed, milliseconds};
use super::site::Site;
use super::stage::Stage;

/// A step of the story.
struct Step {
    /// What must be seen.
    expected: &'static str,
    /// Plays it, and fails with what was seen instead.
    play: fn(&mut Stage) -> Result<Observed>,
}

const STEPS: [Step; 9] = [
    ask::STEP,
    comply::STEP,
    quarantine::STEP,
    repair::STEP,
    download::STEP,
    monitor::STEP,
    lease::STEP,
    kill::STEP,
    count::STEP,
];

/// Builds the stage and plays every step; whether all of them hold.
pub(super) fn play(site: &Site, enforcer: &Path, json: bool) -> Result<bool> {
    eprintln!("demo: building the network and starting the programs …");
    let mut stage = Stage::build(site, enforcer).context("the stage could not be built")?;
    let mut all = true;
    for (index, step) in STEPS.iter().enumerate() {
        let begun = Instant::now();
        let result = (step.play)(&mut stage);
        let took = begun.elapsed();
        let ok = result.is_ok();
        let Observed { text, time } =
            result.unwrap_or_else(|error| Observed::new(format!("{error:#}")));
        let line = Line {
            step: index + 1,
            expected: &format!("{}{}", step.expected, slowness()),
            observed: &text,
            ok,
            ms: milliseconds(time.unwrap_or(took)),
        };
        line.print(json)?;
        all &= ok;
    }
    if !all {
        eprintln!("the end of the gateway's log:\n{}", stage.gateway.tail());
    }
    Ok(all)
}

/// What is to be said beside every limit of the story on a machine that is slower than real hardware.
fn slowness() -> String {
    match enforcer_vm::slowness() {
        1 => String::new(),
        times => format!(" (every limit {times} times as long on this slow machine)"),
    }
}
