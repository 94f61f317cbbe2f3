//! Debian's packages.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::probe;
use super::progress::step;

/// Installs packages and nothing that they merely recommend. Never removes one: Debian's own
/// `rustc` conflicts with the compiler used here, and whoever installed it should decide.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    update()?;
    transaction(packages, &[])
}

/// Installs a package whose companion may be there already, of a version from elsewhere that this release's
/// package refuses to stand beside: the companion then goes back to the release's own version.
pub(crate) fn install_beside(package: &str, companion: &str) -> Result<()> {
    update()?;
    if !is_installed(companion) {
        return transaction(&[package], &[]);
    }
    let companion = format!("{companion}={}", candidate(package)?);
    transaction(&[package, &companion], &["--allow-downgrades"])
}

fn transaction(packages: &[&str], options: &[&str]) -> Result<()> {
    let mut command = apt_get();
    command
        .args(["install", "--yes", "--no-install-recommends", "--no-remove"])
        .args(options)
        .args(packages);
    step(&format!("installing {}", packages.join(" ")), &mut command)
}

fn is_installed(package: &str) -> bool {
    probe::output(
        "dpkg-query",
        &["--show", "--showformat=${db:Status-Status}", package],
    )
    .is_some_and(|status| status == "installed")
}

/// The version that apt would install.
fn candidate(package: &str) -> Result<String> {
    let text = probe::output("apt-cache", &["policy", package]).unwrap_or_default();
    text.lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))
        .map(str::to_owned)
        .with_context(|| {
            format!("package {package} is not in the package lists: check the sources of apt")
        })
}

/// Fetches the package lists: a fresh machine has none, an old one has stale ones.
pub(crate) fn update() -> Result<()> {
    step("reading package lists", apt_get().arg("update"))
}

/// Fetches a package's file into a folder without installing it.
pub(crate) fn download(package: &str, folder: &Path) -> Result<()> {
    // As root, apt would fetch as a user that may not write there, and warn of it.
    let mut command = apt_get();
    command
        .args(["-o", "APT::Sandbox::User=root", "download", package])
        .current_dir(folder);
    step(&format!("fetching {package}"), &mut command)
}

/// The one package that a meta-package stands for.
pub(crate) fn dependency(meta: &str, prefix: &str) -> Result<String> {
    let text = probe::output("apt-cache", &["depends", "--important", meta]).unwrap_or_default();
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "));
    let found = names.into_iter().find(|name| name.starts_with(prefix));
    found.map(str::to_owned).with_context(|| {
        format!("package {meta} is not in the package lists: check the sources of apt")
    })
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    // Another apt may be at work on this machine: wait for it.
    command
        .args(["-q", "-o", "DPkg::Lock::Timeout=300"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}
