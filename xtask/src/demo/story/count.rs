//! Step 9: what is counted is what was sent.

use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{ECHO, WEB};
use crate::demo::client::Client;
use crate::demo::stage::Stage;
use crate::demo::traffic::Traffic;
use crate::demo::wait;

/// How many datagrams each client sends.
const DATAGRAMS: u64 = 1000;
/// How long an echo may take.
const ECHOING: Duration = Duration::from_secs(1);
/// How long it may take until no packet comes for a moment.
const QUIET: Duration = Duration::from_secs(5);

pub(super) const STEP: Step = Step {
    expected: "/metrics agrees with what was sent: every packet is counted, and no event is lost",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    let before = Counts::read(stage)?;
    exchange(&stage.laptop, &stage.desktop)?;
    let counts = Counts::read(stage)?.since(&before);
    let Counts {
        sent,
        passed,
        answered,
        returned,
        stopped,
        told,
        arrived,
        judged,
    } = counts;
    let text = format!(
        "the compliant client sent {sent} packets and {passed} passed, it received {answered} and {returned} passed; \
         of {DATAGRAMS} of the other {stopped} were stopped and {told} answered; {arrived} arrived in all and {judged} were counted"
    );
    ensure!(sent >= DATAGRAMS && stopped == DATAGRAMS, "{text}");
    ensure!(
        [passed, returned, judged] == [sent, answered, arrived],
        "{text}"
    );
    let lost = stage
        .gateway
        .metrics()?
        .sum("enforcer_events_lost_total", &[]);
    ensure!(lost == 0, "{lost} events were lost");
    Ok(Observed::new(format!("{text}; no event was lost")))
}

/// Has one client exchange datagrams with a server, and another one send as many in vain.
fn exchange(passing: &Client, stopped: &Client) -> Result<()> {
    let passing = passing.datagrams(WEB.v4(ECHO), ECHOING)?;
    let stopped = stopped.datagrams(WEB.v4(ECHO), ECHOING)?;
    for number in 0..DATAGRAMS {
        let sent = number.to_be_bytes();
        send_again_if_told(&stopped, &sent)?;
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

/// The gateway tells of each datagram that it is stopped, and the kernel tells its sender with the next one, which is
/// then not sent.
fn send_again_if_told(socket: &UdpSocket, datagram: &[u8]) -> io::Result<()> {
    match socket.send(datagram) {
        Err(error) if error.kind() == io::ErrorKind::HostUnreachable => {
            socket.send(datagram).map(drop)
        }
        sent => sent.map(drop),
    }
}

/// Counts of packets, each beside that of the gateway which must agree with it.
struct Counts {
    /// Sent by the client that passes, as its own kernel counts.
    sent: u64,
    passed: u64,
    /// Received by it.
    answered: u64,
    returned: u64,
    /// From the client that is stopped.
    stopped: u64,
    /// Those of them that were answered.
    told: u64,
    /// Received by the gateway from anybody, as the kernel counts.
    arrived: u64,
    /// Judged, whatever became of them.
    judged: u64,
}

impl Counts {
    /// Reads all counters, with no packet between the first and the last.
    fn read(stage: &Stage) -> Result<Self> {
        let gateway = &stage.gateway;
        wait::until("no packet comes", QUIET, || {
            let arrived = gateway.received()?;
            let metrics = gateway.metrics()?;
            let told = metrics.packets("xdp", "reject", "role_denies");
            let client = Traffic::of(&stage.laptop.namespace)?;
            let counts = Self {
                sent: client.sent,
                passed: metrics.packets("xdp", "pass", "role_allows"),
                answered: client.received,
                returned: metrics.packets("tc_egress", "pass", "role_allows"),
                stopped: metrics.packets("xdp", "drop", "role_denies") + told,
                told,
                arrived,
                judged: metrics.sum("enforcer_packets_total", &[("hook", "xdp")]),
            };
            Ok((gateway.received()? == arrived).then_some(counts))
        })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            passed: self.passed - before.passed,
            answered: self.answered - before.answered,
            returned: self.returned - before.returned,
            stopped: self.stopped - before.stopped,
            told: self.told - before.told,
            arrived: self.arrived - before.arrived,
            judged: self.judged - before.judged,
        }
    }
}
