//! Step 9: what is counted is what was sent.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{ECHO, WEB};
use crate::demo::client::Client;
use crate::demo::gateway::Gateway;
use crate::demo::stage::Stage;
use crate::demo::wait;

/// How many datagrams each client sends.
const DATAGRAMS: u64 = 1000;
/// How long an echo may take.
const ECHOING: Duration = Duration::from_secs(1);
/// It is quiet when nothing has come for so long: the first repetition of what got lost comes sooner.
const STILL: Duration = Duration::from_millis(500);
/// How long it may take to become quiet.
const QUIET: Duration = Duration::from_secs(10);

pub(super) const STEP: Step = Step {
    expected: "/metrics agrees with what was sent: every packet is counted, and no event is lost",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    wait_for_quiet(&stage.gateway)?;
    let before = Counts::read(&stage.gateway)?;
    exchange(&stage.laptop, &stage.desktop)?;
    let after = Counts::read(&stage.gateway)?;
    let counted = after.since(&before);
    let Counts {
        passed,
        dropped,
        replies,
        judged,
        received,
    } = counted;
    let text = format!(
        "of {DATAGRAMS} datagrams of each client {passed} passed and {dropped} were dropped, {replies} replies passed; \
         of all {received} packets that the interface received {judged} were counted"
    );
    let as_sent = [passed, dropped, replies] == [DATAGRAMS; 3];
    ensure!(as_sent && judged == received, "{text}");
    let lost = stage
        .gateway
        .metrics()?
        .sum("enforcer_events_lost_total", &[]);
    ensure!(lost == 0, "{lost} events were lost");
    Ok(Observed::new(format!("{text}; no event was lost")))
}

/// Waits until connections of the steps before have nothing more to say.
fn wait_for_quiet(gateway: &Gateway) -> Result<()> {
    let mut last = (gateway.received()?, Instant::now());
    wait::until("the network is quiet", QUIET, || {
        let received = gateway.received()?;
        if received != last.0 {
            last = (received, Instant::now());
        }
        Ok((last.1.elapsed() >= STILL).then_some(()))
    })
}

/// Has one client exchange datagrams with a server, and another one send as many in vain.
fn exchange(passing: &Client, stopped: &Client) -> Result<()> {
    let passing = passing.datagrams(WEB.v4(ECHO), ECHOING)?;
    let stopped = stopped.datagrams(WEB.v4(ECHO), ECHOING)?;
    for number in 0..DATAGRAMS {
        let sent = number.to_be_bytes();
        stopped.send(&sent)?;
        passing.send(&sent)?;
        // One after the other, so that no queue on the way overflows.
        let mut echo = [0; 16];
        let length = passing
            .recv(&mut echo)
            .with_context(|| format!("no echo of datagram {number}"))?;
        ensure!(echo[..length] == sent, "another echo than that of {number}");
    }
    stopped.set_nonblocking(true)?;
    let echo = stopped.recv(&mut [0; 16]);
    ensure!(echo.is_err(), "the stopped client got an echo");
    Ok(())
}

/// Counts of packets.
struct Counts {
    /// From hosts whose role lets them pass, and to them.
    passed: u64,
    replies: u64,
    /// From hosts whose role stops them.
    dropped: u64,
    /// Judged on ingress, whatever became of them.
    judged: u64,
    /// Received by the interface, as the kernel counts.
    received: u64,
}

impl Counts {
    /// Reads all counters, with no packet between the first and the last.
    fn read(gateway: &Gateway) -> Result<Self> {
        wait::until("no packet comes", QUIET, || {
            let received = gateway.received()?;
            let metrics = gateway.metrics()?;
            let counts = Self {
                passed: metrics.packets("xdp", "pass", "role_allows"),
                replies: metrics.packets("tc_egress", "pass", "role_allows"),
                dropped: metrics.packets("xdp", "drop", "role_denies"),
                judged: metrics.sum("enforcer_packets_total", &[("hook", "xdp")]),
                received,
            };
            Ok((gateway.received()? == received).then_some(counts))
        })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            passed: self.passed - before.passed,
            replies: self.replies - before.replies,
            dropped: self.dropped - before.dropped,
            judged: self.judged - before.judged,
            received: self.received - before.received,
        }
    }
}
