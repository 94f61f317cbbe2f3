//! `cargo xtask deny`: licences, bans, sources and advisories of all dependencies.

use std::process::Command;

use anyhow::Result;

use crate::setup;
use crate::workspace::{self, Workspace};

/// A version that builds with the compiler of this work tree.
const VERSION: &str = "0.20.2";

/// Installs cargo-deny when it is missing and runs it by `deny.toml`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    install()?;
    workspace::run(&mut workspace.cargo([
        "deny",
        "--workspace",
        "check",
        "licenses",
        "bans",
        "sources",
    ]))?;
    advisories(workspace)
}

fn install() -> Result<()> {
    let found = Command::new("cargo").args(["deny", "--version"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    let mut command = Command::new("cargo");
    command.args(["install", "cargo-deny", "--version", VERSION, "--locked"]);
    setup::step("building cargo-deny (some minutes)", &mut command)
}

/// Advisories live in a git repository of their own, which not every machine reaches.
fn advisories(workspace: &Workspace) -> Result<()> {
    let fetched = workspace.cargo(["deny", "fetch", "db"]).output()?;
    if !fetched.status.success() {
        println!(
            "advisories not checked: their database cannot be fetched from this machine \
             (`cargo deny fetch db` says why)"
        );
        return Ok(());
    }
    workspace::run(&mut workspace.cargo(["deny", "--workspace", "check", "advisories"]))
}
