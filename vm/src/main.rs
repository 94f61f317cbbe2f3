//! The init program of the virtual machine: mounts, loads modules, runs a series of commands, tells on
//! the console how each ended, and stops the machine.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};
use enforcer_vm::{CANNOT_RUN, Part, Report, Series};
use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::termios::tcdrain;

/// Where each kernel file system belongs.
const MOUNTS: &[(&str, &str)] = &[
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("devpts", "/dev/pts"),
    ("tmpfs", "/dev/shm"),
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
    match perform() {
        Ok(()) => println!("{}", Report::Over),
        Err(error) => println!("enforcer-vm: {error:#}"),
    }
    // What the serial port has not sent yet would be lost.
    tcdrain(std::io::stdout()).ok();
    // QEMU runs with -no-reboot: a restart ends it, with ACPI or without.
    match reboot(RebootMode::RB_AUTOBOOT)? {}
}

fn perform() -> Result<()> {
    for (kind, folder) in MOUNTS {
        fs::create_dir_all(folder)?;
        let (kind, options) = (Some(*kind), None::<&str>);
        mount(kind, *folder, kind, MsFlags::empty(), options)
            .with_context(|| format!("cannot mount {kind:?} on {folder}"))?;
    }
    load_modules()?;
    let text = fs::read(enforcer_vm::SERIES)
        .with_context(|| format!("cannot read {}", enforcer_vm::SERIES))?;
    let Series { environment, parts } = serde_json::from_slice(&text)?;
    let loopback = command("ip", &environment)
        .args(["link", "set", "lo", "up"])
        .status()?;
    ensure!(
        loopback.success(),
        "the loopback interface could not be brought up"
    );
    for Part { name, words } in parts {
        println!("{}", Report::Begins(name));
        let status = run(&words, &environment).unwrap_or_else(|error| {
            println!("enforcer-vm: {error:#}");
            CANNOT_RUN
        });
        // On a line of its own, whatever the command wrote last.
        println!("\n{}", Report::Ended(status));
    }
    Ok(())
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

fn run(words: &[String], environment: &[(String, String)]) -> Result<u8> {
    let (program, arguments) = words.split_first().context("a part without a command")?;
    let status = command(program, environment)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    Ok(as_in_a_shell(status))
}

fn command(program: &str, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs([
            ("PATH", enforcer_vm::PATH),
            ("HOME", "/root"),
            ("TMPDIR", "/tmp"),
        ])
        .envs(environment.iter().map(|(name, value)| (name, value)))
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
