//! What the gateway costs: `cargo xtask bench`.

mod datapath;
mod fill;
mod latency;
mod programs;
mod questions;
mod restart;
mod spread;
mod stage;
mod sync;
mod table;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use serde::Serialize;

/// What the gateway costs, against floors that are measured in the same run.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Args {
    /// What is measured.
    #[arg(value_enum, default_value_t = Choice::All)]
    what: Choice,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Fewer rounds and smaller tables: enough to see that it works.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// Everything.
    All,
    /// Instructions of each program, as the verifier counts them.
    Programs,
    /// Nanoseconds for each packet.
    Datapath,
    /// Time to write hosts into the tables.
    Fill,
    /// Snapshots of many hosts in a running gateway: time and memory.
    Sync,
    /// Time from a decision on the wire to the row in the kernel.
    Latency,
    /// Time from the first packet of a new host to its row in the kernel.
    Questions,
    /// Packets that pass unjudged while the gateway is killed, restarted and reloaded.
    Restart,
}

/// Everything that was measured; what was not asked for is left out.
#[derive(Default, Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    programs: Vec<programs::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    datapath: Vec<datapath::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fill: Vec<fill::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sync: Vec<sync::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    latency: Vec<latency::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<questions::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restart: Vec<restart::Row>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let wanted = |what| args.what == what || args.what == Choice::All;
    let mut report = Report::default();
    if wanted(Choice::Programs) {
        report.programs = programs::count()?;
    }
    if wanted(Choice::Datapath) {
        report.datapath = datapath::measure(args.quick)?;
    }
    if wanted(Choice::Fill) {
        report.fill = fill::measure(args.quick)?;
    }
    if wanted(Choice::Sync) {
        report.sync = sync::measure(args.quick)?;
    }
    if wanted(Choice::Latency) {
        report.latency = latency::measure(args.quick)?;
    }
    if wanted(Choice::Questions) {
        report.questions = questions::measure(args.quick)?;
    }
    if wanted(Choice::Restart) {
        report.restart = restart::measure(args.quick)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    table::print(&report.programs);
    table::print(&report.datapath);
    table::print(&report.fill);
    table::print(&report.sync);
    table::print(&report.latency);
    table::print(&report.questions);
    table::print(&report.restart);
    Ok(())
}
