//! Builds the kernel object, so that the gateway carries it inside.

use std::{env, process::Command};

use anyhow::Context;
use aya_build::{Package, Toolchain};

/// A compiler with the source of `core`, linked under this name by `cargo xtask setup` where rustup
/// cannot fetch a nightly. It is a stable one, so unstable flags must be allowed.
const LINKED: &str = "ebpf";

fn main() -> anyhow::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").context("cargo sets CARGO_MANIFEST_DIR")?;
    let root_dir = format!("{root}/../enforcer-ebpf");
    println!("cargo::rerun-if-changed={root}/../common");
    let package = Package {
        name: "enforcer-ebpf",
        root_dir: &root_dir,
        features: if env::var_os("CARGO_FEATURE_KERNEL_LOG").is_some() {
            &["log"]
        } else {
            &[]
        },
        ..Package::default()
    };
    let toolchain = if has_linked_toolchain() {
        allow_unstable_flags();
        Toolchain::Custom(LINKED)
    } else {
        Toolchain::Nightly
    };
    aya_build::build_ebpf([package], toolchain)
        .context("the kernel object was not built; `cargo xtask setup` installs what that needs")
}

/// How aya-build is told to build `core` with a stable compiler.
#[expect(unsafe_code, reason = "the environment is shared")]
fn allow_unstable_flags() {
    // SAFETY: nothing else reads or writes the environment meanwhile; a build script has one thread.
    unsafe { env::set_var("RUSTC_BOOTSTRAP", "1") };
}

fn has_linked_toolchain() -> bool {
    let Ok(output) = Command::new("rustup").args(["toolchain", "list"]).output() else {
        return false;
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .any(|line| line.split_whitespace().next() == Some(LINKED))
}
