//! Step 8: the gateway is killed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Observed, Step};
use crate::demo::addresses::{HTTP, WEB};
use crate::demo::answer::Answer;
use crate::demo::gateway::Gateway;
use crate::demo::stage::Stage;
use crate::demo::watch::{STEADY, Seen};

/// How long a page may take while nothing but the kernel is at work, and after.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) const STEP: Step = Step {
    expected: "the gateway is killed with kill -9: the non-compliant host stays stopped, the compliant one passes; a restart adopts the state",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    let Stage {
        gateway,
        laptop,
        desktop,
        ..
    } = stage;
    let mut good = laptop.watch(WEB.v4(HTTP), STEADY)?;
    let mut bad = desktop.watch(WEB.v4(HTTP), STEADY)?;
    let lines = gateway.log()?.len();
    let killed = Instant::now();
    gateway.kill()?;
    let alone = Instant::now();
    good.first(
        "a page without the gateway's process",
        PATIENCE,
        alone,
        Answer::is_page,
    )?;
    bad.first(
        "a stop without the gateway's process",
        PATIENCE,
        alone,
        |a| !a.is_page(),
    )?;
    gateway.restart()?;
    let back = Instant::now();
    good.first("a page after the restart", PATIENCE, back, Answer::is_page)?;
    bad.first("a stop after the restart", PATIENCE, back, |a| !a.is_page())?;
    let (good, bad) = (good.end()?, bad.end()?);
    let lost = good.iter().find(|seen| !seen.answer.is_page());
    ensure!(
        lost.is_none(),
        "the compliant host got {}",
        lost.map_or(String::new(), |l| l.answer.to_string())
    );
    ensure!(
        !bad.iter().any(|seen| seen.answer.is_page()),
        "the non-compliant host came through"
    );
    let hosts = adopted(gateway, lines)?;
    let meanwhile = |answers: &[Seen]| {
        let down = |seen: &&Seen| seen.at > killed && seen.at < back;
        answers.iter().filter(down).count()
    };
    Ok(Observed::new(format!(
        "the process was gone for {:.1} s; meanwhile all {} pages of the compliant host came, and none of {} of the other; \
         the restart adopted {hosts} hosts and swapped the programs in place",
        (back - killed).as_secs_f64(),
        meanwhile(&good),
        meanwhile(&bad),
    )))
}

/// How many hosts the gateway found in the kernel when it started again.
fn adopted(gateway: &Gateway, lines: usize) -> Result<u64> {
    let log = gateway.log()?;
    let said = |message: &str| log[lines..].iter().find(|line| line["message"] == message);
    let adopted = said("adopted the state of an earlier process");
    let hosts = adopted
        .and_then(|line| line["hosts"].as_u64())
        .context("the log does not say that the state was adopted")?;
    let swapped = said("attached").map(|line| &line["swapped"]);
    ensure!(
        swapped == Some(&Value::Bool(true)),
        "the programs were attached anew, not swapped"
    );
    ensure!(hosts > 0, "no host was adopted");
    Ok(hosts)
}
