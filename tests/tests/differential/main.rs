//! The bulk tests, in the measure that fits into every run. `cargo xtask fuzz` goes on from here.

mod kept;

use anyhow::{Result, ensure};
use enforcer_tests::fuzz::run::{End, Options, run};

/// Frames that are parsed and judged in all; on two cores they take less than a minute.
const CASES: u64 = 2_000_000;

/// The same frames each time: what a run finds must not depend on when it runs.
const SEED: u64 = 1;

#[test]
fn parser_kernel_and_law_agree_about_every_frame() -> Result<()> {
    let options = Options {
        seed: SEED,
        jobs: usize::MAX,
        end: End::Cases(CASES),
    };
    let report = run(&options, |report| {
        println!("{} cases in {:?}", report.counts.cases(), report.elapsed);
    })?;
    println!("{}", report.counts);
    for finding in &report.findings {
        println!("{finding}\n");
    }
    ensure!(
        report.findings.is_empty(),
        "{} findings",
        report.findings.len()
    );
    let counts = &report.counts;
    ensure!(counts.cases() >= CASES, "only {} cases", counts.cases());
    ensure!(
        counts.judged >= CASES / 8,
        "only {} frames were judged",
        counts.judged
    );
    let skipped = counts.unsure + counts.short;
    ensure!(
        skipped < counts.judged / 10,
        "{skipped} frames were skipped"
    );
    ensure!(
        counts.missing().is_empty(),
        "never seen: {:?}",
        counts.missing()
    );
    Ok(())
}
