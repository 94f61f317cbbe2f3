//! Nanoseconds for each packet, by `BPF_PROG_TEST_RUN`.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::{Result, ensure};
use enforcer::datapath::Rulings;
use enforcer_common::{counter::Hook, role::RoleId};
use enforcer_tests::{
    fixture::{self, Tcp, v4, v6},
    gate::{self, Gate, XDP_DROP, XDP_PASS},
};
use serde::Serialize;

use crate::{spread::Spread, table::Line};

/// Runs in one measurement: a few milliseconds, in which a timer tick or two does not show.
const REPEAT: u32 = 50_000;

/// What one kind of packet costs, in nanoseconds.
#[derive(Serialize)]
pub struct Row {
    packet: &'static str,
    ns: Spread,
    /// The difference to the floor of the same round.
    above_floor_ns: Spread,
}

/// A kind of packet, and what must become of it.
struct Case {
    name: &'static str,
    packet: Vec<u8>,
    code: u32,
}

/// Measures every kind of packet in turn, round after round, so that whatever slows the machine down
/// for a while slows all of them down.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let rounds = if quick { 5 } else { 51 };
    let gate = gate()?;
    let cases = cases();
    let mut floor = Vec::new();
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..rounds {
        floor.push(nanoseconds(gate.datapath.clock().cost(REPEAT)?));
        for (case, times) in cases.iter().zip(&mut times) {
            let ran = gate.repeat(Hook::Xdp, &case.packet, REPEAT)?;
            ensure!(
                ran.code == case.code,
                "{}: code {} instead of {}",
                case.name,
                ran.code,
                case.code
            );
            times.push(nanoseconds(ran.duration));
        }
    }
    let row = |packet, times: &[f64]| Row {
        packet,
        ns: Spread::of(times.iter().copied()),
        above_floor_ns: Spread::of(times.iter().zip(&floor).map(|(time, floor)| time - floor)),
    };
    let measured = cases.iter().zip(&times);
    Ok([row("floor: read the clock", &floor)]
        .into_iter()
        .chain(measured.map(|(case, times)| row(case.name, times)))
        .collect())
}

/// The hosts: 10 authorized, 11 denied, 12 quarantined, 13 unknown.
fn gate() -> Result<Gate> {
    let mut gate = Gate::new()?;
    // Held throughout, so that the last round sees the same host as the first.
    let patient = Rulings {
        unknown_timeout: Duration::from_hours(24),
        ..gate::rulings()
    };
    gate.datapath.set_rulings(&patient)?;
    gate.decide(v4(10), RoleId::AUTHORIZED)?;
    gate.decide(v6(10), RoleId::AUTHORIZED)?;
    gate.decide(v4(11), RoleId::DENIED)?;
    gate.decide(v4(12), RoleId::QUARANTINE)?;
    Ok(gate)
}

/// No packet here is rewritten: the programs would meet their own work in the next run.
fn cases() -> Vec<Case> {
    let case = |name, packet, code| Case { name, packet, code };
    let tcp = |from, to| fixture::tcp(at(from, 40_000), at(to, 443), Tcp::Data, b"hello");
    let udp = |from, to, port| fixture::udp(at(from, 40_000), at(to, port), b"hello");
    let mut short = tcp(v4(10), v4(99));
    short.pop();
    vec![
        case("authorized, IPv4 TCP", tcp(v4(10), v4(99)), XDP_PASS),
        case("authorized, IPv6 TCP", tcp(v6(10), v6(99)), XDP_PASS),
        case(
            "authorized, IPv4 TCP, VLAN",
            tagged(&tcp(v4(10), v4(99))),
            XDP_PASS,
        ),
        case(
            "authorized, IPv6 TCP, VLAN",
            tagged(&tcp(v6(10), v6(99))),
            XDP_PASS,
        ),
        case("denied", tcp(v4(11), v4(99)), XDP_DROP),
        case("remediation rule", tcp(v4(12), v4(200)), XDP_PASS),
        case("own service (DNS)", udp(v4(12), v4(1), 53), XDP_PASS),
        case("unknown, held", udp(v4(13), v4(99), 443), XDP_DROP),
        case("malformed", short, XDP_DROP),
    ]
}

/// The frame with a tag of a VLAN that the gate lets in.
fn tagged(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &[0x81, 0, 0, 7], &frame[12..]].concat()
}

fn at(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

impl Line for Row {
    const HEADS: &[&str] = &["packet", "ns", "min – max", "above floor", "min – max"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.packet.to_owned(),
            self.ns.to_string(),
            self.ns.range(),
            self.above_floor_ns.to_string(),
            self.above_floor_ns.range(),
        ]
    }
}
