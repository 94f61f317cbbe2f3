//! Packets that nobody judges while the gateway is killed, started, stopped or told of another configuration.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use enforcer_common::role::RoleId;
use enforcer_tests::{
    gateway::Gateway,
    lan::SERVER,
    namespace::output,
    servers::ECHO,
    tap::{Tap, addresses},
};
use etherparse::PacketBuilder;
use serde::Serialize;

use crate::{stage::Stage, table::Line};

/// What happens to the gateway, over and over.
#[derive(Serialize)]
pub struct Row {
    /// Packets of a denied host.
    sent: u64,
    seconds: f64,
    kills: u32,
    restarts: u32,
    reloads: u32,
    /// Those that came to the gateway's interface and were counted by the datapath.
    judged: u64,
    /// Those that came out behind it.
    passed: u64,
}

/// Floods the gateway with packets that must not pass, until there are enough and everything has happened.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let least = if quick { 200_000 } else { 5_000_000 };
    let stage = Stage::new()?;
    let lan = &stage.site.lan;
    let (denied, allowed) = (lan.desktop.v4, lan.laptop.v4);
    stage
        .server
        .decide([(denied, "denied"), (allowed, "authorized")]);
    let gateway = stage.start()?;
    stage.observer()?.once(denied, RoleId::DENIED)?;
    let behind = Tap::new(&lan.behind)?;
    ensure!(
        lan.laptop.echoes(
            enforcer_tests::lan::at(SERVER, ECHO),
            enforcer_tests::host::ANSWERING
        ),
        "nothing passes at all"
    );
    ensure!(
        behind.frames().iter().any(|frame| is_from(frame, allowed)),
        "nothing is seen behind the gateway"
    );
    let before = dropped(&gateway);
    let (sent, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let begin = Instant::now();
    thread::scope(|scope| {
        let flooding = scope.spawn(|| flood(&stage, &sent, &stop));
        let played = play(&stage, gateway, || sent.load(Ordering::Relaxed) >= least);
        stop.store(true, Ordering::Relaxed);
        flooding.join().expect("no panic")?;
        let (gateway, times) = played?;
        let passed = behind.frames();
        let passed = passed.iter().filter(|frame| is_from(frame, denied));
        Ok(vec![Row {
            sent: sent.load(Ordering::Relaxed),
            seconds: begin.elapsed().as_secs_f64(),
            kills: times,
            restarts: times,
            reloads: times,
            judged: dropped(&gateway) - before,
            passed: passed.count().try_into()?,
        }])
    })
}

/// Kills the gateway and starts it, stops and starts it, and has it reload, over and over until it is enough; how many
/// times.
fn play<'a>(
    stage: &'a Stage,
    mut gateway: Gateway<'a>,
    enough: impl Fn() -> bool,
) -> Result<(Gateway<'a>, u32)> {
    let mut times = 0;
    while times == 0 || !enough() {
        gateway.kill()?;
        gateway = stage.start()?;
        ensure!(gateway.stop()?.success(), "it does not stop");
        gateway = stage.start()?;
        output(&mut stage.site.operator(&["reload"]))?;
        times += 1;
    }
    Ok((gateway, times))
}

/// Sends packets of the denied host as fast as it can.
fn flood(stage: &Stage, sent: &AtomicU64, stop: &AtomicBool) -> Result<()> {
    let desktop = &stage.site.lan.desktop;
    let (IpAddr::V4(source), IpAddr::V4(server)) = (desktop.v4, SERVER.parse()?) else {
        unreachable!("addresses of IPv4");
    };
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 0x12], [2, 0, 0, 0, 0, 1])
        .ipv4(source.octets(), server.octets(), 64)
        .udp(40_000, ECHO);
    let mut frame = Vec::with_capacity(builder.size(0));
    builder.write(&mut frame, &[]).context("a frame")?;
    let frames = std::iter::from_fn(|| {
        let goes_on = !stop.load(Ordering::Relaxed);
        sent.fetch_add(u64::from(goes_on), Ordering::Relaxed);
        goes_on.then_some(&frame[..])
    });
    desktop.send_frames(frames)
}

fn is_from(frame: &[u8], host: IpAddr) -> bool {
    addresses(frame).is_some_and(|(source, _)| source == host)
}

/// Packets that the ingress program has dropped for the role of their host.
fn dropped(gateway: &Gateway<'_>) -> u64 {
    gateway.packets("xdp", "drop", "role_denies")
}

impl Line for Row {
    const HEADS: &[&str] = &[
        "packets that must not pass",
        "s",
        "kill -9",
        "restarts",
        "reloads",
        "judged",
        "passed",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.sent.to_string(),
            format!("{:.1}", self.seconds),
            self.kills.to_string(),
            self.restarts.to_string(),
            self.reloads.to_string(),
            self.judged.to_string(),
            self.passed.to_string(),
        ]
    }
}
