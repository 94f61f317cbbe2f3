//! Step 7: the management server falls silent.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{HTTP, WEB};
use crate::demo::answer::Answer;
use crate::demo::gateway;
use crate::demo::stage::Stage;
use crate::demo::wait::patient;
use crate::demo::watch::STEADY;

/// How much earlier or later than the lease the end may come: the last heartbeat came before the
/// server was stopped, or while it was stopping.
const SLACK: Duration = Duration::from_secs(1);
/// How long the gateway may take to hear a server that is back.
const RETURN: Duration = Duration::from_secs(15);

pub(super) const STEP: Step = Step {
    expected: "the management server is stopped: decided hosts go on for the lease (5 s here, on a slow machine longer) and are stopped then; it returns and they pass",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    let Stage {
        laptop,
        desktop,
        management,
        ..
    } = stage;
    let begun = Instant::now();
    let mut watch = laptop.watch(WEB.v4(HTTP), STEADY)?;
    let other = desktop.watch(WEB.v4(HTTP), STEADY)?;
    watch.first("a page", RETURN, begun, Answer::is_page)?;
    let silent = Instant::now();
    management.stop()?;
    let stopped = watch.first(
        "the lease is over",
        gateway::lease() + 2 * SLACK,
        silent,
        |answer| !answer.is_page(),
    )?;
    let lease = stopped.duration_since(silent);
    let wanted = gateway::lease();
    let back = Instant::now();
    management.restart()?;
    let passes = watch.first("a page again", RETURN, back, Answer::is_page)?;
    let passes = passes.duration_since(back).as_secs_f64();
    let seen = watch.end()?;
    let more = seen
        .iter()
        .filter(|seen| seen.at > silent && seen.at < stopped);
    let text = format!(
        "{} more pages, and stopped {:.1} s after the server",
        more.count(),
        lease.as_secs_f64()
    );
    ensure!(
        lease + SLACK >= wanted && lease <= wanted + patient(SLACK),
        "{text}"
    );
    let other = other.end()?;
    ensure!(
        !other.iter().any(|seen| seen.answer.is_page()),
        "the host that does not comply came through"
    );
    Ok(Observed::new(format!(
        "{text}; passing again {passes:.1} s after the server was started; the host that does not comply never passed"
    )))
}
