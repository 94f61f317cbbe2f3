//! What the gateway costs: `cargo xtask bench`.

mod datapath;
mod fill;
mod programs;
mod spread;
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
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    table::print(&report.programs);
    table::print(&report.datapath);
    table::print(&report.fill);
    Ok(())
}
