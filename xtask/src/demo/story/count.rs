//! Step 9: what is counted is what was sent.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{ECHO, WEB};
use crate::demo::metrics::Metrics;
use crate::demo::stage::Stage;

/// How many datagrams each client sends.
const DATAGRAMS: u64 = 1000;
/// How long an echo may take.
const ECHOING: Duration = Duration::from_secs(1);

pub(super) const STEP: Step = Step {
    expected: "/metrics agrees with what was sent: every packet is counted, and no event is lost",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    let before = Counts::of(&stage.gateway.metrics()?);
    let passing = stage.laptop.datagrams(WEB.v4(ECHO), ECHOING)?;
    let stopped = stage.desktop.datagrams(WEB.v4(ECHO), ECHOING)?;
    for number in 0..DATAGRAMS {
        let sent = number.to_be_bytes();
        stopped.send(&sent)?;
        passing.send(&sent)?;
        // One after the other, so that no queue on the way overflows.
        let mut echo = [0; 16];
        let length = passing
            .recv(&mut echo)
            .with_context(|| format!("echo {number}"))?;
        ensure!(echo[..length] == sent, "another echo than that of {number}");
    }
    stopped.set_nonblocking(true)?;
    ensure!(
        stopped.recv(&mut [0; 16]).is_err(),
        "the stopped host got an echo"
    );
    let metrics = stage.gateway.metrics()?;
    let counted = Counts::of(&metrics).since(&before);
    let text = format!(
        "of {DATAGRAMS} datagrams of each client {} passed and {} were dropped, {} replies passed",
        counted.passed, counted.dropped, counted.replies
    );
    let all = Counts {
        passed: DATAGRAMS,
        dropped: DATAGRAMS,
        replies: DATAGRAMS,
    };
    ensure!(counted == all, "{text}");
    let lost = metrics.sum("enforcer_events_lost_total", &[]);
    ensure!(lost == 0, "{lost} events were lost");
    Ok(Observed::new(format!("{text}; no event was lost")))
}

/// Packets of hosts whose role alone decides.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    passed: u64,
    dropped: u64,
    replies: u64,
}

impl Counts {
    fn of(metrics: &Metrics) -> Self {
        Self {
            passed: metrics.packets("xdp", "pass", "role_allows"),
            dropped: metrics.packets("xdp", "drop", "role_denies"),
            replies: metrics.packets("tc_egress", "pass", "role_allows"),
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            passed: self.passed - before.passed,
            dropped: self.dropped - before.dropped,
            replies: self.replies - before.replies,
        }
    }
}
