//! `cargo xtask test`: every check and test, the quick ones first; the first that fails ends it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::setup::{self, Scope, Series};
use crate::tally::Tally;
use crate::tidy;
use crate::vm;
use crate::workspace::{Workspace, run as run_command, shown};

/// What is run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Handed on to `cargo test`, which is then the only thing that runs.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// A named part of the whole.
struct Phase {
    name: &'static str,
    run: fn(&Workspace, &mut Tally) -> Result<()>,
}

const PHASES: &[Phase] = &[
    Phase {
        name: "set-up",
        run: |_, _| setup::run(Scope::Test),
    },
    Phase {
        name: "format",
        run: |workspace, _| format(workspace),
    },
    Phase {
        name: "tidy",
        run: |workspace, _| tidy::run(workspace),
    },
    Phase {
        name: "clippy",
        run: |workspace, _| clippy(workspace),
    },
    Phase {
        name: "tests",
        run: |workspace, tally| tests(workspace, &[], tally),
    },
    Phase {
        name: "demo",
        run: demo,
    },
    Phase {
        name: "other kernels",
        run: other_kernels,
    },
];

/// Runs everything, or only `cargo test` with these arguments.
pub(crate) fn run(args: &Args, workspace: &Workspace) -> Result<()> {
    ensure!(
        setup::is_root(),
        "the tests make network namespaces and load BPF programs: run them as root, \
         for example with `sudo -E env PATH=\"$PATH\" cargo xtask test`"
    );
    let mut tally = Tally::default();
    let outcome = if args.args.is_empty() {
        PHASES
            .iter()
            .try_for_each(|phase| perform(phase, workspace, &mut tally))
    } else {
        setup::run(Scope::Test).and_then(|()| tests(workspace, &args.args, &mut tally))
    };
    std::io::stdout().flush()?;
    if let Err(error) = &outcome {
        eprintln!("xtask: {error:#}");
    }
    println!("{tally}");
    ensure!(outcome.is_ok(), "not everything passed");
    ensure!(tally.passed > 0, "no test ran");
    Ok(())
}

fn perform(phase: &Phase, workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    eprintln!("── {}", phase.name);
    let started = Instant::now();
    (phase.run)(workspace, tally).with_context(|| format!("{} failed", phase.name))?;
    eprintln!(
        "── {}: {:.1} s",
        phase.name,
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Names the files that differ; their differences would bury the names.
fn format(workspace: &Workspace) -> Result<()> {
    let check = ["fmt", "--all", "--", "--check", "--files-with-diff"];
    run_command(&mut workspace.cargo(check)).context("the files above want `cargo fmt --all`")
}

/// The kernel crate is checked for the host: Debian's compiler for BPF comes without clippy. On the
/// host too it wants nightly features and no unwinding.
fn clippy(workspace: &Workspace) -> Result<()> {
    let user = [
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--exclude",
        "enforcer-ebpf",
        "--",
    ];
    run_command(workspace.cargo(user).args(["-D", "warnings"]))?;
    let kernel = [
        "clippy",
        "--quiet",
        "--package",
        "enforcer-ebpf",
        "--",
        "-D",
        "warnings",
    ];
    let mut command = workspace.cargo(kernel);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_PROFILE_DEV_PANIC", "abort");
    run_command(&mut command)
}

/// Runs `cargo test` and counts what it reports. All targets run, so that one look shows all that fails.
fn tests(workspace: &Workspace, args: &[String], tally: &mut Tally) -> Result<()> {
    let mut command = workspace.cargo(["test", "--quiet"]);
    if args.is_empty() {
        command.args([
            "--workspace",
            "--exclude",
            "enforcer-ebpf",
            "--no-fail-fast",
        ]);
    }
    follow(command.args(args), |line| tally.add_test_line(line))
}

/// The demo is a test as well: each of its steps counts.
fn demo(_: &Workspace, tally: &mut Tally) -> Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    follow(command.args(["demo", "--json"]), |line| {
        tally.add_demo_line(line);
    })
}

/// The oldest kernel that is supported; where nobody waits, all of them.
fn other_kernels(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let kernels = match std::env::var_os("CI") {
        Some(_) => Series::ALL,
        None => &[Series::V6_1],
    };
    vm::test(workspace, kernels, tally)
}

/// Runs a command, passes its output on line by line, and shows each line to `look`.
fn follow(command: &mut Command, mut look: impl FnMut(&str)) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().context("the command has no output")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        look(&line);
        println!("{line}");
    }
    let status = child.wait()?;
    ensure!(status.success(), "`{}` failed: {status}", shown(command));
    Ok(())
}
