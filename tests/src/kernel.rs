//! The kernel that the tests run under.

use std::fs;

use anyhow::{Context, Result};

/// Whether it is this version or a later one.
pub fn is_at_least(version: (u32, u32)) -> Result<bool> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split(['.', '-']).map(str::parse);
    let mut number = || numbers.next().context("a version")?.context("a number");
    Ok((number()?, number()?) >= version)
}
