//! `cargo xtask fuzz`: the bulk tests, for as long as one likes.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use enforcer_tests::fuzz::run::{End, Options, Report, run};

/// Packets at random through parser, shared code and kernel programs.
#[derive(Parser)]
#[command(bin_name = "cargo xtask fuzz")]
struct Args {
    /// How many minutes.
    #[arg(long, default_value_t = 5, conflicts_with_all = ["cases", "world"])]
    minutes: u64,
    /// How many cases instead.
    #[arg(long, conflicts_with = "world")]
    cases: Option<u64>,
    /// Only the world with this number, as a finding names it.
    #[arg(long)]
    world: Option<u64>,
    /// Where chance begins; another one each time by default.
    #[arg(long)]
    seed: Option<u64>,
    /// Threads; one for each CPU by default.
    #[arg(long)]
    jobs: Option<usize>,
}

fn main() -> ExitCode {
    match fuzz(&Args::parse()) {
        Ok(report) if report.findings.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn fuzz(args: &Args) -> Result<Report> {
    let seed = args.seed.unwrap_or_else(rand::random);
    let end = match (args.world, args.cases) {
        (Some(world), _) => End::World(world),
        (None, Some(cases)) => End::Cases(cases),
        (None, None) => End::Time(Duration::from_secs(args.minutes * 60)),
    };
    let jobs = args.jobs.unwrap_or(usize::MAX);
    eprintln!("seed {seed}");
    let report = run(&Options { seed, jobs, end }, tell)?;
    tell(&report);
    for finding in &report.findings {
        println!("\n{finding}");
    }
    println!("\n{}", report.counts);
    Ok(report)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn tell(report: &Report) {
    let cases = report.counts.cases();
    let seconds = report.elapsed.as_secs_f64().max(0.001);
    let rate = cases as f64 / seconds / 1e3;
    eprintln!(
        "{seconds:6.0} s  {:9.3} million cases  {rate:6.1} thousand a second  {} skipped  {} findings",
        cases as f64 / 1e6,
        report.counts.unsure + report.counts.short,
        report.findings.len(),
    );
}
