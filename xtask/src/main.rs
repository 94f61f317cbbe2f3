//! Everything that is done with this work tree: `cargo xtask --help`.

mod demo;
mod deny;
mod setup;
mod tally;
mod test;
mod tidy;
mod vm;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use setup::Scope;
use workspace::{Profile, Workspace, run};

/// Set-up, build, tests, demo, benchmarks and machine of this work tree.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Install what this machine lacks to build and run everything.
    Setup,
    /// Build the gateway, with the kernel object inside.
    Build {
        /// Use the release profile.
        #[arg(long)]
        release: bool,
    },
    /// Run every check and test; with ARGS only `cargo test ARGS`.
    Test(test::Args),
    /// Show the whole story in network namespaces, with the real programs.
    Demo(demo::Args),
    /// What the demo starts of itself.
    #[command(subcommand, hide = true)]
    DemoPart(demo::Part),
    /// Run the benchmarks in the release profile.
    Bench {
        /// What to hand on to the benchmarks.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run packets at random through parser, shared code and kernel programs in the release profile:
    /// `[--minutes N | --cases N] [--seed S] [--jobs N]`. Ends with status 1 when they differ.
    Fuzz {
        /// What to hand on; `-- --help` says more.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check licences, bans and sources of all dependencies, and advisories where they can be had.
    Deny,
    /// Check the rules of the tree that no compiler knows.
    Tidy,
    /// Run a command under Debian's kernels in a virtual machine.
    Vm(vm::Args),
}

fn main() -> ExitCode {
    match perform(&Task::parse()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does it and says with which exit status to end. The demo wants no work tree when it is handed a program.
fn perform(task: &Task) -> Result<u8> {
    let workspace = Workspace::find;
    match task {
        Task::Setup => {
            setup::run(Scope::Machine)?;
            setup::report();
        }
        Task::Build { release } => build(&workspace()?, *release)?,
        Task::Test(args) => test::run(args, &workspace()?)?,
        Task::Demo(args) => demo::run(args)?,
        Task::DemoPart(part) => return demo::perform(part),
        Task::Bench { args } => bench(&workspace()?, args)?,
        Task::Fuzz { args } => return fuzz(&workspace()?, args),
        Task::Deny => deny::run(&workspace()?)?,
        Task::Tidy => tidy::run(&workspace()?)?,
        Task::Vm(args) => return vm::run(args, &workspace()?),
    }
    Ok(0)
}

fn build(workspace: &Workspace, release: bool) -> Result<()> {
    setup::run(Scope::Build)?;
    let gateway = workspace.gateway(Profile::release(release))?;
    println!("{}", gateway.display());
    Ok(())
}

/// Says with which exit status the bulk tests ended.
fn fuzz(workspace: &Workspace, args: &[String]) -> Result<u8> {
    setup::run(Scope::Run)?;
    let bulk = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "enforcer-tests",
        "--bin",
        "enforcer-fuzz",
        "--",
    ];
    let status = workspace.cargo(bulk).args(args).status()?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

fn bench(workspace: &Workspace, args: &[String]) -> Result<()> {
    setup::run(Scope::Run)?;
    let benches = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "enforcer-benches",
        "--",
    ];
    let gateway = workspace.gateway(Profile::Release)?;
    let mut command = workspace.cargo(benches);
    run(command.args(args).env(enforcer_vm::PROGRAM, gateway))
}
