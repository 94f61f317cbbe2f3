//! One world, with many frames in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, anyhow};
use rand::{RngExt, seq::IndexedRandom};

use super::Round;
use crate::fuzz::{
    finding::{Finding, Stage},
    frames::{Made, Maker},
    kernel::{Case, Kernel},
    oracle::Rules,
    parser::Parser,
    shrink::shrink,
    site::Site,
    world,
};
use crate::gate::hooks;
use enforcer_common::{counter::Hook, decide::Direction, host::Host};

/// Frames that run through the programs.
const STEPS: u32 = 1_000;

/// Frames that are only parsed, for each of those.
const MORE: u32 = 3;

/// Frames longer than a length field can tell.
const HUGE: u32 = 2;

/// A host is decided anew after so many steps.
const CHANGE: u32 = 40;

/// Where frames run: two of three times what hosts send.
const HOOKS: [Hook; 3] = [Hook::Xdp, Hook::TcIngress, Hook::TcEgress];

/// What comes of a world. An error is a fault of the bench.
pub fn run(kernel: &mut Kernel, seed: u64, number: u64) -> Result<Round> {
    let site = kernel.world().site;
    let mut rounds = Rounds {
        maker: Maker::new(world::source(!seed, number), site),
        parser: Parser::default(),
        kernel,
        site,
        source: (seed, number),
        round: Round::default(),
    };
    for _ in 0..HUGE {
        let frame = rounds.maker.huge();
        rounds.parse(&frame);
    }
    for step in 0..STEPS {
        if step % CHANGE == CHANGE - 1 {
            rounds.change()?;
        }
        for _ in 0..MORE {
            let made = rounds.maker.frame();
            rounds.parse(&made.frame);
        }
        let made = rounds.maker.frame();
        rounds.parse(&made.frame);
        rounds.judge(&made)?;
        if !rounds.round.findings.is_empty() {
            return Ok(rounds.round);
        }
    }
    rounds.check_reports();
    Ok(rounds.round)
}

struct Rounds<'a> {
    maker: Maker,
    parser: Parser,
    kernel: &'a mut Kernel,
    site: Site,
    source: (u64, u64),
    round: Round,
}

impl Rounds<'_> {
    fn parse(&mut self, frame: &[u8]) {
        let before = self.parser.clone();
        match parsed(&mut self.parser, frame) {
            Ok(rules) => self.round.counts.parsed(rules),
            Err(error) => {
                let frame = shrink(frame.to_vec(), |frame| {
                    parsed(&mut before.clone(), frame).is_err()
                });
                let error = parsed(&mut before.clone(), &frame).err().unwrap_or(error);
                self.found(Stage::Parser, &error, frame, true);
            }
        }
    }

    fn judge(&mut self, made: &Made) -> Result<()> {
        let hook = self.hook(made.way);
        let frame = &made.frame[..];
        let error = match judged(self.kernel, hook, frame)? {
            Ok(case) => {
                self.round.counts.judged(hook, case);
                return Ok(());
            }
            Err(error) => error,
        };
        let alone = judged(self.kernel, hook, frame)?.is_err();
        let frame = if alone {
            shrink(frame.to_vec(), |frame| {
                matches!(judged(self.kernel, hook, frame), Ok(Err(_)))
            })
        } else {
            frame.to_vec()
        };
        let error = if alone {
            judged(self.kernel, hook, &frame)?.err().unwrap_or(error)
        } else {
            error
        };
        self.found(Stage::Kernel(hook), &error, frame, alone);
        Ok(())
    }

    /// Mostly one where frames travel this way.
    fn hook(&mut self, way: Option<Direction>) -> Hook {
        let rng = self.maker.rng();
        let hooks = match way {
            Some(way) if !rng.random_ratio(1, 8) => hooks(way),
            _ => &HOOKS,
        };
        *hooks.choose(rng).expect("some hooks")
    }

    fn check_reports(&mut self) {
        match self.kernel.check_reports() {
            Ok(events) => self.round.counts.events += events as u64,
            Err(error) => self.found(Stage::Reports, &error, Vec::new(), false),
        }
    }

    /// Decides of a host, or forgets what was decided.
    fn change(&mut self) -> Result<()> {
        let hosts = self.site.all_hosts();
        let rng = self.maker.rng();
        let address = (*hosts.choose(rng).expect("some hosts")).into();
        let zone = rng.random_range(0..2);
        let row = rng.random_ratio(3, 4).then(|| world::row(rng));
        self.kernel.change(Host { zone, address }, row)
    }

    fn found(&mut self, stage: Stage, error: &anyhow::Error, frame: Vec<u8>, alone: bool) {
        let world = match stage {
            Stage::Parser => String::new(),
            Stage::Kernel(_) | Stage::Reports => format!("{:?}", self.kernel.world()),
        };
        self.round.findings.push(Finding {
            stage,
            what: format!("{error:#}"),
            frame,
            site: self.site,
            source: self.source,
            world,
            alone,
        });
    }
}

/// A parser that panics has failed as one that errs.
fn parsed(parser: &mut Parser, frame: &[u8]) -> Result<Rules> {
    catch_unwind(AssertUnwindSafe(|| parser.check(frame)))
        .unwrap_or_else(|_| Err(anyhow!("a panic, see above")))
}

fn judged(kernel: &mut Kernel, hook: Hook, frame: &[u8]) -> Result<Result<Case>> {
    catch_unwind(AssertUnwindSafe(|| kernel.check(hook, frame)))
        .unwrap_or_else(|_| Ok(Err(anyhow!("a panic, see above"))))
}
