//! Every row of the table, through the shared code and both programs, enforcing and monitoring.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use enforcer::datapath::{HostChange, Rulings};
use enforcer_common::{
    counter::{Hook, Outcome},
    decide::{Direction, HTTP, Judgement, Verdict},
    host::{FOREVER, Family, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::{
    fixture::Tcp,
    gate::{Gate, PORTAL, code, hooks, host, rulings},
    reply::{Error, Reply},
    table::{HOST_PORT, Known, Place, Row, rows},
    tally::{Tally, one},
};

/// A source that has never said how long it is to be believed.
const SILENT: SourceId = SourceId(9);

/// The kernel runs no TC program on a frame without a whole IP header.
const WHOLE_HEADERS: usize = 54;

/// Makes the host what the row says, in a gate that otherwise enforces as usual.
fn introduce(gate: &mut Gate, known: Known, at: &Place) -> Result<()> {
    let decided = |role, source, deadline| {
        let mac = [0; 6];
        let row = HostRow {
            deadline,
            mac,
            role,
            origin: Origin::of(source),
        };
        [HostChange::Set(host(at.host), row)]
    };
    let good = RoleId::AUTHORIZED;
    match known {
        Known::As(role) => gate.decide(at.host, role)?,
        Known::OnPortal => {
            gate.decide(at.host, RoleId::QUARANTINE)?;
            gate.from_host(&at.tcp(HTTP, Tcp::Syn))?;
        }
        Known::Asked | Known::Unanswered => {
            gate.from_host(&at.tcp(443, Tcp::Syn))?;
        }
        Known::Silent => gate.datapath.apply(&decided(good, SILENT, FOREVER))?,
        Known::Ended => gate
            .datapath
            .apply(&decided(good, SourceId::MANAGEMENT, 1))?,
        Known::Nobody | Known::Outside | Known::Bypassed => {}
    }
    Ok(())
}

fn rulings_for(known: Known, enforce: bool) -> Rulings {
    let mut rulings = Rulings {
        enforce,
        ..rulings()
    };
    if known == Known::Unanswered {
        rulings.unknown_timeout = std::time::Duration::ZERO;
    }
    rulings
}

/// Hooks that a gate of their own is made for, so that no hook meets what another left behind.
const GATES: [&[Hook]; 2] = [&[Hook::Xdp, Hook::TcEgress], &[Hook::TcIngress]];

/// Runs every row in every family of it at every hook of its way; each has a host of its own.
fn each(
    enforce: bool,
    way: impl Fn(&Row) -> Direction,
    check: impl Fn(&Gate, Hook, &Row, &Place) -> Result<()>,
) -> Result<usize> {
    let mut count = 0;
    for of_gate in GATES {
        let mut gate = Gate::new()?;
        for (number, row) in (1..).zip(rows()) {
            let Some(&hook) = hooks(way(&row)).iter().find(|hook| of_gate.contains(hook)) else {
                continue;
            };
            for family in row.families {
                let at = Place::new(*family, row.known, number);
                gate.datapath.set_rulings(&rulings_for(row.known, true))?;
                introduce(&mut gate, row.known, &at)?;
                gate.datapath
                    .set_rulings(&rulings_for(row.known, enforce))?;
                check(&gate, hook, &row, &at).with_context(|| {
                    format!("{hook:?} {family:?}, {:?}: {}", row.known, row.what)
                })?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Runs a packet once and checks code and counters; returns what the program left of it.
fn run(
    gate: &Gate,
    hook: Hook,
    packet: &[u8],
    judged: &Judgement,
    done: Verdict,
) -> Result<Vec<u8>> {
    let before = Tally::of(&gate.datapath)?;
    let ran = gate.run(hook, packet)?;
    let counted = before.until(&Tally::of(&gate.datapath)?);
    let outcome = if judged.monitored {
        Outcome::WouldStop
    } else {
        Outcome::Done(done)
    };
    let expected = one(hook, outcome, judged.reason, packet.len());
    ensure!(counted == expected, "counted {counted:?}, not {expected:?}");
    let expected = code(hook, done, judged.monitored);
    ensure!(
        ran.code == expected,
        "the code is {}, not {expected}",
        ran.code
    );
    Ok(ran.packet)
}

fn judge(gate: &Gate, way: Direction, packet: &[u8]) -> Result<Judgement> {
    let now = gate.datapath.clock().now()?;
    Ok(gate.judge(way, packet, now)?.judgement)
}

/// What the programs make of a packet that they change. `Reply` checks lengths and checksums.
fn check_rewriting(row: &Row, at: &Place, packet: &[u8], left: &[u8]) -> Result<()> {
    let there = |port| SocketAddr::new(at.server, port);
    let me = SocketAddr::new(at.host, HOST_PORT);
    let from_portal = row.known == Known::OnPortal && row.way == Direction::ToHost;
    match row.done {
        Verdict::Pass if from_portal => {
            let reply = Reply::parse(left)?;
            ensure!(
                (reply.from, reply.to) == (there(HTTP), me),
                "{} {}",
                reply.from,
                reply.to
            );
            ensure!(left.len() == packet.len(), "another length");
        }
        Verdict::Pass | Verdict::Drop => ensure!(left == packet, "changed to {left:x?}"),
        Verdict::Redirect => {
            let reply = Reply::parse(left)?;
            let portal = SocketAddr::new(at.gateway, PORTAL);
            ensure!(
                (reply.from, reply.to) == (me, portal),
                "{} {}",
                reply.from,
                reply.to
            );
            ensure!(left.len() == packet.len(), "another length");
        }
        Verdict::Reject if row.is_answered_by_icmp() => {
            Error::parse(left)?.check_that_it_answers(packet)?;
        }
        Verdict::Close => {
            let (sent, reset) = (Reply::parse(packet)?, Reply::parse(left)?);
            ensure!(
                (reset.from, reset.to) == (sent.from, sent.to),
                "turned around"
            );
            ensure!(reset.tcp.rst, "no reset");
            ensure!(
                reset.tcp.sequence_number == sent.tcp.sequence_number,
                "sequence"
            );
        }
        Verdict::Reject => {
            let (sent, reply) = (Reply::parse(packet)?, Reply::parse(left)?);
            ensure!(
                (reply.from, reply.to) == (sent.to, sent.from),
                "not turned around"
            );
            ensure!(
                (reply.from_mac, reply.to_mac) == (sent.to_mac, sent.from_mac),
                "MAC"
            );
            ensure!(
                reply.tcp.rst && !sent.tcp.rst,
                "no reset, or one for a reset"
            );
        }
    }
    Ok(())
}

#[test]
fn every_row_is_enforced_as_it_says() -> Result<()> {
    let count = each(
        true,
        |row| row.way,
        |gate, hook, row, at| {
            let packet = (row.packet)(at);
            let judged = judge(gate, row.way, &packet)?;
            let said = (judged.verdict, judged.reason);
            ensure!(
                said == (row.verdict, row.reason),
                "the shared code says {said:?}"
            );
            let left = run(gate, hook, &packet, &judged, row.done)?;
            check_rewriting(row, at, &packet, &left)
        },
    )?;
    assert!(count >= 80, "{count} packets");
    Ok(())
}

fn other_way(row: &Row) -> Direction {
    match row.way {
        Direction::FromHost => Direction::ToHost,
        Direction::ToHost => Direction::FromHost,
    }
}

/// The same packets as if they travelled the other way: whatever that makes of them, the program and
/// the shared code agree.
#[test]
fn every_row_is_judged_alike_the_other_way() -> Result<()> {
    each(true, other_way, |gate, hook, row, at| {
        let packet = (row.packet)(at);
        if hook != Hook::Xdp && packet.len() < WHOLE_HEADERS {
            return Ok(());
        }
        let judged = judge(gate, other_way(row), &packet)?;
        run(gate, hook, &packet, &judged, judged.verdict)?;
        Ok(())
    })?;
    Ok(())
}

#[test]
fn monitoring_leaves_every_row_untouched() -> Result<()> {
    each(
        false,
        |row| row.way,
        |gate, hook, row, at| {
            let packet = (row.packet)(at);
            let judged = judge(gate, row.way, &packet)?;
            let said = (judged.verdict, judged.reason);
            ensure!(
                said == (row.verdict, row.reason),
                "the shared code says {said:?}"
            );
            ensure!(
                judged.monitored == (row.verdict != Verdict::Pass),
                "{judged:?}"
            );
            let left = run(gate, hook, &packet, &judged, row.verdict)?;
            if row.done == Verdict::Pass {
                // A flow that was redirected before is still given the address that it knows.
                return check_rewriting(row, at, &packet, &left);
            }
            ensure!(left == packet, "changed to {left:x?}");
            Ok(())
        },
    )?;
    Ok(())
}

#[test]
fn both_families_stand_in_the_table() {
    for family in [Family::V4, Family::V6] {
        let count = rows()
            .iter()
            .filter(|row| row.families.contains(&family))
            .count();
        assert!(count >= 60, "{count} rows of {family:?}");
    }
}
