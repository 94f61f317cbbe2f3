//! `cargo xtask setup`: brings a machine to where everything here builds and runs.
//!
//! What is needed stands in [`table`]. A machine that lacks nothing costs a few short checks.

mod apt;
mod kernels;
mod linker;
pub(crate) mod probe;
mod progress;
mod prometheus;
mod requirement;
mod table;

use anyhow::{Result, bail};

pub(crate) use kernels::{Kernel, Series};
pub(crate) use probe::is_root;
pub(crate) use progress::step;
use requirement::{Install, Requirement};

/// How much of the set-up a command needs; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// To compile everything, the kernel object included.
    Build,
    /// To run the gateway in network namespaces.
    Run,
    /// To run all tests: the tools of attackers.
    Test,
    /// To boot other kernels in a virtual machine.
    Machine,
}

/// Installs what is missing, or names it with the command that would mend it.
pub(crate) fn run(scope: Scope) -> Result<()> {
    let can_install = probe::is_debian_12() && is_root();
    let requirements = table::requirements(can_install, scope);
    let missing = missing_of(&requirements);
    if missing.is_empty() {
        return Ok(());
    }
    if can_install {
        install(&missing);
    }
    let left = missing_of(&requirements);
    if left.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = left.iter().map(|requirement| requirement.lack()).collect();
    bail!("this machine lacks:\n{}", lines.join("\n"))
}

/// Prints what is needed and that it is there.
pub(crate) fn report() {
    let can_install = probe::is_debian_12() && is_root();
    for requirement in table::requirements(can_install, Scope::Machine) {
        println!(
            "{:<11} {}",
            if requirement.is_met() {
                "ok"
            } else {
                "missing"
            },
            requirement.name
        );
    }
}

fn missing_of<'a>(requirements: &[&'a Requirement]) -> Vec<&'a Requirement> {
    requirements
        .iter()
        .copied()
        .filter(|requirement| !requirement.is_met())
        .collect()
}

/// One package transaction for everything, then the steps that build upon the packages. What fails
/// is told and does not keep the rest from being installed.
fn install(missing: &[&Requirement]) {
    let packages: Vec<_> = missing
        .iter()
        .flat_map(|requirement| match requirement.install {
            Install::Packages(names) => names,
            Install::Step { .. } | Install::ByHand(_) => &[],
        })
        .copied()
        .collect();
    let steps = missing
        .iter()
        .filter_map(|requirement| match requirement.install {
            Install::Step { run, .. } => Some(run()),
            Install::Packages(_) | Install::ByHand(_) => None,
        });
    for outcome in std::iter::once_with(|| apt::install(&packages)).chain(steps) {
        if let Err(error) = outcome {
            eprintln!("setup: {error:#}");
        }
    }
}
