//! The two pieces that make a BPF object: a compiler known to rustup, and bpf-linker.

use std::process::Command;

use anyhow::Result;

use super::probe;
use super::progress::step;

const VERSION: &str = "0.13.0";

/// What [`install`] does, as one would type it.
pub(crate) const BY_HAND: &str = "LLVM_PREFIX=/usr/lib/llvm-22 cargo install bpf-linker \
     --version 0.13.0 --locked --no-default-features --features llvm-22";

/// Gives Debian's compiler a name in rustup; the `cargo` that it lacks is rustup's own.
pub(crate) fn link_toolchain() -> Result<()> {
    let mut command = Command::new("rustup");
    step(
        "linking toolchain `ebpf`",
        command.args(["toolchain", "link", "ebpf", "/usr"]),
    )
}

/// Whether the bpf-linker on the PATH is the one known to work.
pub(crate) fn is_installed() -> bool {
    probe::output("bpf-linker", &["--version"])
        .is_some_and(|text| text.trim() == format!("bpf-linker {VERSION}"))
}

/// Builds bpf-linker into cargo's own folder, so that it outlives `target/`.
pub(crate) fn install() -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["install", "bpf-linker", "--version", VERSION, "--locked", "--force"])
        .args(["--no-default-features", "--features", "llvm-22"])
        // Without it the first llvm-config on the PATH is taken, whatever its version.
        .env("LLVM_PREFIX", "/usr/lib/llvm-22");
    step(
        &format!("building bpf-linker {VERSION} (a minute or more)"),
        &mut command,
    )
}
