//! The initial file system of the machine: init, modules, tools and programs with their libraries.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use enforcer_vm::Series;

use super::cpio::Archive;
use super::modules;
use crate::setup::Kernel;
use crate::setup::probe;

/// Where the gateway stands in the image.
pub(super) const GATEWAY: &str = "/usr/local/bin/enforcer";
/// Where this program stands in the image: it plays the demo.
pub(super) const XTASK: &str = "/usr/local/bin/xtask";

/// Real tools that busybox replaces badly or not at all.
const TOOLS: &[&str] = &[
    "bpftool",
    "conntrack",
    "curl",
    "date",
    "ethtool",
    "ip",
    "nft",
    "ping",
    "setpriv",
    "strace",
    "tc",
    "timeout",
    "unshare",
];

/// Folders that must be there, empty as they are.
const FOLDERS: &[&str] = &[
    "/dev", "/etc", "/proc", "/root", "/run", "/sys", "/tmp", "/var", "/var/lib", "/var/tmp",
];

/// Files that programs look things up in.
const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    ),
    ("/etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
];

/// What goes into an image, whatever its kernel.
pub(super) struct Content {
    /// The init program.
    pub(super) init: PathBuf,
    /// Places in the image, and the binaries that are to stand there.
    pub(super) programs: Vec<(String, PathBuf)>,
    /// What init is to do.
    pub(super) series: Series,
}

/// Writes an image for a kernel.
pub(super) fn write(path: &Path, kernel: &Kernel, content: &Content) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut archive = Archive::new(BufWriter::new(file));
    archive.file("/init", &fs::read(&content.init)?)?;
    for folder in FOLDERS {
        archive.folder(folder)?;
    }
    // Where programs of other years look for it.
    archive.link("/var/run", "/run")?;
    for (file, text) in FILES {
        archive.file(file, text.as_bytes())?;
    }
    archive.file(enforcer_vm::SERIES, &serde_json::to_vec(&content.series)?)?;
    add_modules(&mut archive, kernel)?;
    for (place, binary) in &content.programs {
        add_program(&mut archive, place, binary)?;
    }
    for tool in TOOLS {
        let binary =
            probe::command(tool).with_context(|| format!("{tool} is not on this machine"))?;
        add_program(&mut archive, &format!("/usr/sbin/{tool}"), &binary)?;
    }
    add_busybox(&mut archive)?;
    archive.finish()?;
    Ok(())
}

fn add_modules(archive: &mut Archive<impl Write>, kernel: &Kernel) -> Result<()> {
    archive.folder(enforcer_vm::MODULES)?;
    for (index, module) in modules::read(&kernel.modules)?.iter().enumerate() {
        let path = format!("{}/{index:03}-{}.ko", enforcer_vm::MODULES, module.name);
        archive.file(&path, &module.object)?;
    }
    Ok(())
}

/// Adds a binary and the shared libraries that it names.
fn add_program(archive: &mut Archive<impl Write>, place: &str, binary: &Path) -> Result<()> {
    archive.file(place, &stripped(binary)?)?;
    for library in libraries(binary)? {
        archive.file(&library.to_string_lossy(), &fs::read(&library)?)?;
    }
    Ok(())
}

/// A binary without its symbols, which are most of it and would fill the machine's memory; anything
/// else as it is.
fn stripped(binary: &Path) -> Result<Vec<u8>> {
    let whole = fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    if !whole.starts_with(b"\x7fELF") {
        return Ok(whole);
    }
    let copy = tempfile::NamedTempFile::new()?;
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(copy.path()).arg(binary);
    crate::workspace::run(&mut strip)?;
    Ok(fs::read(copy.path())?)
}

fn add_busybox(archive: &mut Archive<impl Write>) -> Result<()> {
    let busybox = probe::command("busybox").context("busybox is not on this machine")?;
    archive.file("/bin/busybox", &fs::read(&busybox)?)?;
    let listed =
        probe::output("busybox", &["--list"]).context("busybox does not list its commands")?;
    listed
        .lines()
        .try_for_each(|name| archive.link(&format!("/bin/{name}"), "/bin/busybox"))?;
    Ok(())
}

/// The shared libraries of a binary, the loader included; none for a static one or a script.
fn libraries(binary: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd")
        .arg(binary)
        .output()
        .context("ldd could not be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let missing = text.lines().find(|line| line.ends_with("not found"));
    ensure!(
        missing.is_none(),
        "{} needs{}",
        binary.display(),
        missing.unwrap_or_default()
    );
    Ok(text.lines().filter_map(library).collect())
}

/// The path in a line of ldd: `name => /path (address)` or `/path (address)`.
fn library(line: &str) -> Option<PathBuf> {
    let (before, _) = line.trim().rsplit_once(" (0x")?;
    let path = before.rsplit("=> ").next()?;
    path.starts_with('/').then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_ldd() {
        let path = |line| library(line).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(
            path("\tlibc.so.6 => /lib/libc.so.6 (0x00007f)").as_deref(),
            Some("/lib/libc.so.6")
        );
        assert_eq!(
            path("\t/lib64/ld-linux.so.2 (0x00007f)").as_deref(),
            Some("/lib64/ld-linux.so.2")
        );
        assert_eq!(path("\tlinux-vdso.so.1 (0x00007f)"), None);
        assert_eq!(path("\tnot a dynamic executable"), None);
    }
}
