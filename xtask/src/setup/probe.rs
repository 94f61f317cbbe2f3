//! Questions to the machine. None of them changes anything.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a command stands; administrators' folders count, also when they are not on the PATH.
pub(crate) fn command(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(sbin)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Whether this is Debian 12, the one system whose packages are known here.
pub(crate) fn is_debian_12() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let has = |line: &str| release.lines().any(|l| l == line);
    has("ID=debian") && has("VERSION_ID=\"12\"")
}

/// Whether this process may make namespaces and install packages.
pub(crate) fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// Whether Debian's compiler is new enough: the linker must not be older than it, nor it older
/// than the language used here. Older package lists offer one with LLVM 19.
pub(crate) fn debian_compiler() -> bool {
    output("/usr/bin/rustc", &["-vV"]).is_some_and(|text| text.contains("LLVM version: 22."))
}

/// Whether rustup knows Debian's compiler as `ebpf`.
pub(crate) fn linked_toolchain() -> bool {
    has_core_source("ebpf")
}

/// Whether any toolchain that the build looks for can build `core`.
pub(crate) fn any_bpf_toolchain() -> bool {
    has_core_source("ebpf") || has_core_source("nightly")
}

fn has_core_source(toolchain: &str) -> bool {
    let sysroot = output("rustup", &["run", toolchain, "rustc", "--print", "sysroot"]);
    sysroot.is_some_and(|path| {
        Path::new(path.trim())
            .join("lib/rustlib/src/rust/library/core/Cargo.toml")
            .exists()
    })
}

/// Whether a network namespace with a veth pair and a packet filter can be made.
/// The namespace ends with the command. Without root nothing can be said, so nothing is lacking.
pub(crate) fn namespaces() -> bool {
    const TRY: &str = "ip link add name probe0 type veth peer name probe1 && nft list ruleset";
    !is_root() || output("unshare", &["--net", "sh", "-c", TRY]).is_some()
}

/// What a command prints, if it can be run and succeeds.
pub(crate) fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
