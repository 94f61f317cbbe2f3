//! Every row of the table, through the shared code and the programs of every hook, enforcing and monitoring.

mod check;
mod stage;

use anyhow::{Result, ensure};
use enforcer_common::{
    counter::{Hook, Outcome},
    decide::{Direction, Judged, Reason, Verdict},
    host::Family,
    seen::JudgedRow,
};
use enforcer_tests::{
    gate::{Gate, code, hooks},
    table::{Place, Row, rows},
    tally::{Tally, one},
};

use check::check_what_is_left;
use stage::{introduce, set_up, tear_down};

/// Hooks that a gate of their own is made for, so that no hook meets what another left behind.
const GATES: [&[Hook]; 2] = [&[Hook::Xdp, Hook::TcEgress], &[Hook::TcIngress]];

/// Runs every row in every family of it at every hook of its way; each has a host of its own.
fn each(
    enforce: bool,
    way: impl Fn(&Row) -> Direction,
    check: impl Fn(&Gate, Hook, &Row, &Place) -> Result<()>,
) -> Result<usize> {
    let (mut count, mut wrong) = (0, Vec::new());
    for of_gate in GATES {
        let mut gate = Gate::new()?;
        for (number, row) in (1..).zip(rows()) {
            let Some(&hook) = hooks(way(&row)).iter().find(|hook| of_gate.contains(hook)) else {
                continue;
            };
            for family in row.families {
                let at = Place::new(*family, row.known, number);
                if refused_by_the_kernel(hook, &(row.packet)(&at)) {
                    continue;
                }
                introduce(&mut gate, row.known, &at)?;
                set_up(&mut gate, &row, enforce)?;
                if let Err(error) = check(&gate, hook, &row, &at) {
                    let Row { known, what, .. } = row;
                    wrong.push(format!("{hook:?} {family:?}, {known:?}: {what}: {error:#}"));
                }
                tear_down(&mut gate, &row)?;
                count += 1;
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(count)
}

/// The kernel makes no packet for a test run at TC of a frame without its whole IP header, or without anything in it.
fn refused_by_the_kernel(hook: Hook, frame: &[u8]) -> bool {
    let least = match (hook, &frame[12..14]) {
        (Hook::Xdp, _) => 14,
        (_, [0x08, 0x00]) => 34,
        (_, [0x86, 0xdd]) => 54,
        _ => 15,
    };
    frame.len() < least
}

/// What the shared code says, which must be what the row says.
fn judge(gate: &Gate, row: &Row, packet: &[u8]) -> Result<Judged> {
    let judged = gate.judge(row.way, packet, gate.datapath.clock().now()?)?;
    let judgement = judged.judgement;
    let said = (judgement.verdict, judgement.reason);
    ensure!(
        said == (row.verdict, row.reason),
        "the shared code says {said:?}"
    );
    Ok(judged)
}

/// Runs a packet once and checks that the program judges as the shared code, that code and counters tell what was done,
/// and what that was; returns what the program left of the packet.
fn run(
    gate: &Gate,
    hook: Hook,
    packet: &[u8],
    judged: &Judged,
    may_be_done: &[Verdict],
) -> Result<Vec<u8>> {
    let before = Tally::of(&gate.datapath)?;
    let (ran, row) = gate.bench.judge(hook, packet)?;
    let counted = before.until(&Tally::of(&gate.datapath)?);
    check_judgement(&row, judged)?;
    let (monitored, done) = (judged.judgement.monitored, row.done());
    ensure!(may_be_done.contains(&done), "{done:?} was done");
    let outcome = if monitored {
        Outcome::WouldStop
    } else {
        Outcome::Done(done)
    };
    let expected = one(hook, outcome, judged.judgement.reason, packet.len());
    ensure!(counted == expected, "counted {counted:?}, not {expected:?}");
    let expected = code(hook, done, monitored);
    ensure!(
        ran.code == expected,
        "the code is {}, not {expected}",
        ran.code
    );
    Ok(ran.packet)
}

fn check_judgement(row: &JudgedRow, judged: &Judged) -> Result<()> {
    let said = &judged.judgement;
    let kernel = (row.verdict(), row.reason(), row.role, row.monitored);
    let shared = (
        said.verdict,
        Some(said.reason),
        said.role,
        u8::from(said.monitored),
    );
    ensure!(
        kernel == shared,
        "the program says {kernel:?}, not {shared:?}"
    );
    let zone = judged.host.map(|(host, _)| host.zone);
    let kernel = (row.has_host != 0).then_some(row.zone);
    ensure!(kernel == zone, "of zone {kernel:?}, not {zone:?}");
    Ok(())
}

#[test]
fn every_row_is_enforced_as_it_says() -> Result<()> {
    let count = each(
        true,
        |row| row.way,
        |gate, hook, row, at| {
            let packet = (row.packet)(at);
            let judged = judge(gate, row, &packet)?;
            let done = if judged.judgement.monitored {
                row.verdict
            } else {
                row.done
            };
            let left = run(gate, hook, &packet, &judged, &[done])?;
            if judged.judgement.monitored {
                ensure!(left == packet, "changed to {left:x?}");
                return Ok(());
            }
            check_what_is_left(row, at, &packet, &left)
        },
    )?;
    println!("{} rows, {count} runs", rows().len());
    Ok(())
}

fn other_way(row: &Row) -> Direction {
    match row.way {
        Direction::FromHost => Direction::ToHost,
        Direction::ToHost => Direction::FromHost,
    }
}

/// The same packets as if they travelled the other way: whatever that makes of them, the programs and the shared code
/// agree.
#[test]
fn every_row_is_judged_alike_the_other_way() -> Result<()> {
    each(true, other_way, |gate, hook, row, at| {
        let packet = (row.packet)(at);
        let now = gate.datapath.clock().now()?;
        let judged = gate.judge(other_way(row), &packet, now)?;
        let done = match judged.judgement.verdict {
            Verdict::Pass => &[Verdict::Pass][..],
            Verdict::Drop => &[Verdict::Drop],
            Verdict::Reject => &[Verdict::Reject, Verdict::Drop],
            Verdict::Close => &[Verdict::Close, Verdict::Drop],
            Verdict::Redirect => &[Verdict::Redirect, Verdict::Reject, Verdict::Drop],
        };
        run(gate, hook, &packet, &judged, done)?;
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
            let judged = judge(gate, row, &packet)?;
            ensure!(
                judged.judgement.monitored == (row.verdict != Verdict::Pass),
                "{judged:?}"
            );
            let left = run(gate, hook, &packet, &judged, &[row.verdict])?;
            if row.verdict == Verdict::Pass {
                // A flow that was redirected before is still given the address that it knows.
                return check_what_is_left(row, at, &packet, &left);
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
        assert!(count >= 200, "{count} rows of {family:?}");
    }
}

#[test]
fn no_row_stands_twice() {
    let mut seen = std::collections::HashSet::new();
    for row in rows() {
        let is_new = seen.insert((
            row.what,
            format!("{:?} {:?} {:?}", row.known, row.way, row.setting),
            row.families,
        ));
        assert!(is_new, "{:?} {:?}: {}", row.way, row.known, row.what);
    }
}

/// Each reason has a row on each way that it can occur on.
#[test]
fn every_reason_stands_in_the_table() {
    for &(reason, word) in Reason::ALL {
        let ways = match reason {
            Reason::FirstPacket | Reason::Spoofed | Reason::RogueRouter | Reason::RogueDhcp => {
                &[Direction::FromHost][..]
            }
            Reason::Multicast => &[Direction::ToHost],
            _ => &[Direction::FromHost, Direction::ToHost],
        };
        for way in [Direction::FromHost, Direction::ToHost] {
            let found = rows()
                .iter()
                .any(|row| (row.reason, row.way) == (reason, way));
            assert_eq!(found, ways.contains(&way), "{word} {way:?}");
        }
    }
}
