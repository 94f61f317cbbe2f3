//! The init program of the virtual machine: mounts, loads modules, runs one command, tells its
//! exit status on the console and stops the machine.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};
use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::termios::tcdrain;

/// Where each kernel file system belongs.
const MOUNTS: &[(&str, &str)] = &[
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/tmp"),
    ("tmpfs", "/run"),
    ("bpf", "/sys/fs/bpf"),
    ("tracefs", "/sys/kernel/tracing"),
    ("cgroup2", "/sys/fs/cgroup"),
];

fn main() -> Result<()> {
    ensure!(
        std::process::id() == 1,
        "enforcer-vm is the first process of a virtual machine and would restart this one: use `cargo xtask vm`"
    );
    let status = perform().unwrap_or_else(|error| {
        println!("enforcer-vm: {error:#}");
        enforcer_vm::CANNOT_RUN
    });
    // On a line of its own, whatever the command wrote last.
    println!("\n{}{status}", enforcer_vm::EXIT);
    // What the serial port has not sent yet would be lost.
    tcdrain(std::io::stdout()).ok();
    // QEMU runs with -no-reboot: a restart ends it, with ACPI or without.
    match reboot(RebootMode::RB_AUTOBOOT)? {}
}

fn perform() -> Result<u8> {
    for (kind, folder) in MOUNTS {
        fs::create_dir_all(folder)?;
        mount(
            Some(*kind),
            *folder,
            Some(*kind),
            MsFlags::empty(),
            None::<&str>,
        )
        .with_context(|| format!("cannot mount {kind} on {folder}"))?;
    }
    load_modules()?;
    let loopback = command(&["ip", "link", "set", "lo", "up"]).status()?;
    ensure!(
        loopback.success(),
        "the loopback interface could not be brought up"
    );
    let text = fs::read_to_string(enforcer_vm::COMMAND)
        .with_context(|| format!("cannot read {}", enforcer_vm::COMMAND))?;
    let words = enforcer_vm::words(&text);
    ensure!(
        !words.is_empty(),
        "{} names no command",
        enforcer_vm::COMMAND
    );
    let status = command(&words)
        .status()
        .with_context(|| format!("cannot run {}", words[0]))?;
    Ok(as_in_a_shell(status))
}

fn load_modules() -> Result<()> {
    let entries = fs::read_dir(enforcer_vm::MODULES)?.map(|entry| entry.map(|entry| entry.path()));
    let mut modules = entries.collect::<Result<Vec<PathBuf>, _>>()?;
    modules.sort();
    for module in modules {
        finit_module(&File::open(&module)?, c"", ModuleInitFlags::empty())
            .with_context(|| format!("cannot load {}", module.display()))?;
    }
    Ok(())
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .envs([
            ("PATH", enforcer_vm::PATH),
            ("HOME", "/root"),
            ("TMPDIR", "/tmp"),
        ])
        .env("RUST_BACKTRACE", "1")
        .current_dir("/tmp")
        .stdin(Stdio::null());
    command
}

/// A signal counts as 128 and its number.
fn as_in_a_shell(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}
