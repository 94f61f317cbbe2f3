//! Hosts that nobody has seen before: from their first packet to the row in the kernel.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use enforcer_common::role::RoleId;
use enforcer_tests::lan::SERVER;
use etherparse::PacketBuilder;
use serde::Serialize;

use crate::{
    spread::Tail,
    stage::{Stage, address},
    table::Line,
};

/// New hosts in a second.
const PACES: [u32; 2] = [100, 5000];

/// How long new hosts waited.
#[derive(Serialize)]
pub struct Row {
    hosts: u32,
    /// New hosts in a second, as they were really sent.
    hosts_per_second: f64,
    /// Those that were never decided.
    lost: usize,
    ms: Tail,
}

/// Measures at several paces.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let seconds = if quick { 2 } else { 10 };
    let stage = Stage::new()?;
    stage.server.know_others("authorized");
    let _gateway = stage.start()?;
    let mut first = 0;
    let mut rows = Vec::new();
    for pace in PACES {
        let hosts = pace * seconds;
        rows.push(arrive(&stage, first, hosts, pace)?);
        first += hosts;
    }
    Ok(rows)
}

/// Lets hosts arrive at an even pace.
fn arrive(stage: &Stage, first: u32, hosts: u32, pace: u32) -> Result<Row> {
    let observer = stage.observer()?;
    let (sent, arrivals) = mpsc::channel();
    thread::scope(|scope| {
        let sending = scope.spawn(|| send(stage, first, hosts, pace, sent));
        let (mut times, mut lost) = (Vec::new(), 0);
        for (number, begin) in arrivals {
            match observer.once_within(address(number), RoleId::AUTHORIZED, Duration::from_secs(1))
            {
                Some(decided) => times.push(decided.duration_since(begin).as_secs_f64() * 1e3),
                None => lost += 1,
            }
        }
        let hosts_per_second = sending.join().expect("no panic")?;
        Ok(Row {
            hosts,
            hosts_per_second,
            lost,
            ms: Tail::of(times),
        })
    })
}

/// Sends the first packet of each host; how many in a second.
fn send(
    stage: &Stage,
    first: u32,
    hosts: u32,
    pace: u32,
    sent: mpsc::Sender<(u32, Instant)>,
) -> Result<f64> {
    let frames: Vec<_> = (first..first + hosts).map(frame).collect::<Result<_>>()?;
    let begin = Instant::now();
    let numbered = frames.iter().zip(first..);
    let paced = numbered.map(move |(frame, number)| {
        let due = Duration::from_secs(1) * (number - first) / pace;
        thread::sleep(due.saturating_sub(begin.elapsed()));
        // The other end only ends with this one.
        let _ = sent.send((number, Instant::now()));
        &frame[..]
    });
    stage.site.lan.laptop.send_frames(paced)?;
    Ok(f64::from(hosts) / begin.elapsed().as_secs_f64())
}

/// The beginning of a connection.
fn frame(number: u32) -> Result<Vec<u8>> {
    let IpAddr::V4(source) = address(number) else {
        unreachable!("hosts of 10.0.0.0/8");
    };
    let server: Ipv4Addr = SERVER.parse()?;
    let mac = number.to_be_bytes();
    let builder =
        PacketBuilder::ethernet2([2, 1, mac[0], mac[1], mac[2], mac[3]], [2, 0, 0, 0, 0, 1])
            .ipv4(source.octets(), server.octets(), 64)
            .tcp(40_000, 80, number, 65_535)
            .syn();
    let mut frame = Vec::with_capacity(builder.size(0));
    builder.write(&mut frame, &[]).context("a frame")?;
    Ok(frame)
}

impl Line for Row {
    const HEADS: &[&str] = &[
        "new hosts",
        "hosts/s",
        "never decided",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.hosts.to_string(),
            format!("{:.0}", self.hosts_per_second),
            self.lost.to_string(),
        ];
        cells.extend(self.ms.cells());
        cells
    }
}
