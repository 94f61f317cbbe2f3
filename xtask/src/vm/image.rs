//! The initial file system of the machine: init, modules, tools and the command with their libraries.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::command::Program;
use super::cpio::Archive;
use super::modules;
use crate::setup::Kernel;
use crate::setup::probe;

/// Real tools that busybox replaces badly or not at all.
const TOOLS: &[&str] = &["ip", "tc", "nft", "ethtool", "conntrack", "ping"];

/// Writes the image of a machine that runs `program`.
pub(super) fn write(path: &Path, kernel: &Kernel, init: &Path, program: &Program) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut archive = Archive::new(BufWriter::new(file));
    archive.file("/init", &fs::read(init)?)?;
    for folder in [
        "/dev", "/etc", "/proc", "/root", "/run", "/sys", "/tmp", "/var",
    ] {
        archive.folder(folder)?;
    }
    add_modules(&mut archive, kernel)?;
    archive.file(
        enforcer_vm::COMMAND,
        enforcer_vm::join(&program.words()).as_bytes(),
    )?;
    if let Some(binary) = &program.binary {
        add_program(&mut archive, &program.place(), binary)?;
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
    let data = fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    archive.file(place, &data)?;
    for library in libraries(binary)? {
        archive.file(&library.to_string_lossy(), &fs::read(&library)?)?;
    }
    Ok(())
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
