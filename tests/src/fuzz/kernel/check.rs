//! One frame through the programs, and all that must agree about it.

use anyhow::{Context, Result, ensure};
use enforcer::datapath::Ran;

use super::{Act, Case, Kernel, Seen, way};
use crate::{
    fuzz::{answers, finding::hex, law, oracle},
    gate::{UNLIMITED, code},
};
use enforcer_common::{
    counter::{Hook, Outcome, row},
    decide::{Ask, Judged, Judgement, Reason, Tables, Verdict, judge_frame},
    seen::JudgedRow,
};

/// A case takes less than these jiffies. Where this may change the verdict, nothing is said of it.
const PATIENCE: u64 = 100;

/// The clock is read anew after so many cases.
const CASES_PER_READING: u32 = 64;

/// One in so many cases runs through the programs that do nothing but judge, too.
const DRY: u32 = 16;

impl Kernel {
    /// Runs a frame and compares. An error of the outer kind is a fault of the bench, one of the inner kind is a finding.
    pub fn check(&mut self, hook: Hook, frame: &[u8]) -> Result<Result<Case>> {
        if frame.len() < least(hook, frame) {
            return Ok(Ok(Case::TooShort));
        }
        self.read_clock()?;
        let foreseen = self.foresee(hook, frame);
        if let Some(foreseen) = &foreseen
            && self.cases.is_multiple_of(DRY)
            && let Err(error) = self.check_dry(hook, frame, foreseen)?
            && !self.is_late()?
        {
            return Ok(Err(error.context("in the programs that only judge")));
        }
        let ran = self.gate.bench.run(hook, frame, 1)?;
        let row = self.gate.bench.judged(self.cpu)?;
        let reading = oracle::read(frame);
        // Time changes nothing of what may pass.
        let law = match self.check_law(hook, &reading, &ran, &row) {
            Ok(law) => law,
            Err(error) => return Ok(Err(error)),
        };
        let sent = (hook, frame, &reading);
        let case = self.judge(sent, foreseen.as_ref(), (&ran, &row), law);
        self.reports.note(hook, &reading, &row);
        self.note(hook, frame, &row)?;
        if case.is_err() && self.is_late()? {
            return Ok(Ok(Case::Unsure));
        }
        Ok(case)
    }

    fn read_clock(&mut self) -> Result<()> {
        self.cases = self.cases.wrapping_add(1);
        if self.now.1 == 0 {
            self.now = (self.gate.datapath.clock().now()?, CASES_PER_READING);
        }
        self.now.1 -= 1;
        Ok(())
    }

    /// Whether more time went by since the clock was read than what is foreseen reckons with.
    fn is_late(&self) -> Result<bool> {
        Ok(self.gate.datapath.clock().now()? > self.now.0 + PATIENCE)
    }

    /// What the shared code says, with what is done and becomes of the bytes, unless the time may change it.
    fn foresee(&self, hook: Hook, frame: &[u8]) -> Option<(Judged, Act)> {
        if self.now.0 > self.old {
            return None;
        }
        let at = |now| {
            let tables = self.memory.now(&self.world, &self.gate, self.cpu);
            let interface = &self.memory.interface;
            let judged = judge_frame(frame, way(hook), interface, &tables, now);
            let act = Act::of(hook, frame, &judged, interface, &self.flows, &|purpose| {
                tables.may(purpose, now)
            });
            (judged, act)
        };
        let (first, last) = (at(self.now.0), at(self.now.0 + PATIENCE));
        let (a, b) = (first.0.judgement, last.0.judgement);
        let same =
            (a.verdict, a.reason, a.ask) == (b.verdict, b.reason, b.ask) && first.1 == last.1;
        same.then_some(first)
    }

    fn judge(
        &self,
        (hook, frame, reading): (Hook, &[u8], &oracle::Reading<'_>),
        foreseen: Option<&(Judged, Act)>,
        (ran, row): (&Ran, &JudgedRow),
        law: Option<law::Why>,
    ) -> Result<Case> {
        let Some((judged, act)) = foreseen else {
            return Ok(Case::Unsure);
        };
        let said = || format!("the shared code says {judged:?}, {act:?}; the kernel {row:?}");
        compare(hook, judged, *act, ran, row).with_context(said)?;
        answers::check(hook, *act, frame, ran, reading, &self.world).with_context(said)?;
        self.check_asked(judged)?;
        Ok(Case::Same(Seen {
            verdict: row.verdict(),
            done: row.done(),
            reason: row.reason().context("an unknown reason")?,
            monitored: row.monitored != 0,
            law,
            act: *act,
        }))
    }

    /// The programs without effects say the same, and leave the frame as it is.
    fn check_dry(
        &self,
        hook: Hook,
        frame: &[u8],
        (judged, _): &(Judged, Act),
    ) -> Result<Result<()>> {
        // They may always ask, which is not what a limit would say.
        if self.world.rulings.questions_per_second != UNLIMITED {
            return Ok(Ok(()));
        }
        let ran = self.dry.run(hook, frame, 1)?;
        let row = self.dry.judged(self.cpu)?;
        let check = || {
            compare_row(judged, &row)?;
            let expected = match row.verdict() {
                Verdict::Pass => code(hook, Verdict::Pass, false),
                _ => code(hook, Verdict::Drop, false),
            };
            compare_code(&ran, expected)?;
            ensure!(
                ran.packet == frame,
                "it was changed to {:?}",
                hex(&ran.packet)
            );
            Ok(())
        };
        Ok(check().with_context(|| format!("the shared code says {judged:?}, the kernel {row:?}")))
    }

    /// Nothing passes that no law lets pass.
    fn check_law(
        &self,
        hook: Hook,
        reading: &oracle::Reading<'_>,
        ran: &Ran,
        row: &JudgedRow,
    ) -> Result<Option<law::Why>> {
        if ran.code != code(hook, Verdict::Pass, false) {
            return Ok(None);
        }
        let law = law::Law {
            world: &self.world,
            memory: &self.memory,
            way: way(hook),
        };
        let why = law.why(reading, row, &ran.packet);
        let why = why.with_context(|| format!("passed against the law: {row:?} of {reading:?}"))?;
        Ok(Some(why))
    }

    /// Whoever was asked about is known to have been.
    fn check_asked(&self, judged: &Judged) -> Result<()> {
        let since = match judged.judgement.ask {
            Ask::No => return Ok(()),
            Ask::First => None,
            Ask::Again(since) => Some(since),
        };
        let (host, _) = judged.host.context("asked about nobody")?;
        let tables = self.memory.now(&self.world, &self.gate, self.cpu);
        let asked = tables
            .asked(&host)
            .context("not remembered as asked about")?;
        match since {
            Some(since) => ensure!(
                asked.since == since,
                "asked since {}, not {since}",
                asked.since
            ),
            None => ensure!(asked.since >= self.now.0, "asked since {}", asked.since),
        }
        Ok(())
    }

    /// Remembers what a packet changes: redirected flows, and what is counted.
    fn note(&mut self, hook: Hook, frame: &[u8], judged: &JudgedRow) -> Result<()> {
        let reason = judged.reason().context("an unknown reason")?;
        let outcome = if judged.monitored != 0 {
            Outcome::WouldStop
        } else {
            Outcome::Done(judged.done())
        };
        let counter = self.counted.entry(row(hook, outcome, reason)).or_default();
        counter.packets += 1;
        counter.bytes += frame.len() as u64;
        self.flows
            .follow(hook, frame, judged, &self.memory.interface);
        Ok(())
    }
}

/// Whether verdict, deed and code are those of the shared code.
fn compare(hook: Hook, judged: &Judged, act: Act, ran: &Ran, row: &JudgedRow) -> Result<()> {
    compare_row(judged, row)?;
    let Judgement {
        verdict, monitored, ..
    } = judged.judgement;
    ensure!(row.done() == act.done(verdict), "done");
    compare_code(ran, code(hook, row.done(), monitored))
}

fn compare_code(ran: &Ran, expected: u32) -> Result<()> {
    let code = ran.code;
    ensure!(code == expected, "the code is {code}, not {expected}");
    Ok(())
}

/// Whether the kernel judged as the shared code does.
fn compare_row(judged: &Judged, row: &JudgedRow) -> Result<()> {
    let judgement = &judged.judgement;
    ensure!(row.verdict() == judgement.verdict, "verdict");
    ensure!(row.reason() == Some(judgement.reason), "reason");
    ensure!(row.role == judgement.role, "role");
    ensure!((row.monitored != 0) == judgement.monitored, "monitored");
    // A frame that is not understood is nobody's, even where its sender could be read.
    let refused = matches!(
        judgement.reason,
        Reason::Malformed | Reason::TooDeep | Reason::NotIp | Reason::Vlan
    );
    let host = judged.host.filter(|_| !refused);
    ensure!(
        (row.has_host != 0) == host.is_some(),
        "whether it has a host"
    );
    ensure!(host.is_none_or(|(host, _)| host.zone == row.zone), "zone");
    Ok(())
}

/// The kernel runs no program on less: an Ethernet header, and at TC a whole IP header behind it.
fn least(hook: Hook, frame: &[u8]) -> usize {
    match (hook, frame.get(12..14)) {
        (Hook::TcIngress | Hook::TcEgress, Some([0x08, 0x00])) => 34,
        (Hook::TcIngress | Hook::TcEgress, Some([0x86, 0xdd])) => 54,
        _ => 14,
    }
}
