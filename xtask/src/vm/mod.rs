//! `cargo xtask vm`: runs a command under Debian's kernels in QEMU.

mod command;
mod cpio;
mod image;
mod modules;
mod qemu;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;

use crate::setup::{self, Kernel, Scope, Series};
use crate::workspace::{Workspace, executable};
use command::Program;
use qemu::{Accelerator, Ending};

/// What is run, and under which kernels.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The kernel series to boot.
    #[arg(long, value_enum, default_value_t = Choice::All)]
    kernel: Choice,
    /// Seconds after which a machine counts as hung and is killed.
    #[arg(long, default_value_t = 600)]
    limit: u64,
    /// A path, a binary or test of the workspace, or a command of this machine; by default the packet fixtures.
    #[arg(last = true)]
    command: Vec<String>,
}

/// One series or all of them.
#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    /// Debian 12's own.
    #[value(name = "6.1")]
    V6_1,
    /// Debian 12's backport.
    #[value(name = "6.12")]
    V6_12,
    /// One after the other.
    All,
}

impl Choice {
    fn series(self) -> &'static [Series] {
        match self {
            Self::V6_1 => &[Series::V6_1],
            Self::V6_12 => &[Series::V6_12],
            Self::All => Series::ALL,
        }
    }
}

/// Boots each kernel and runs the command in it; the first exit status that is not 0 is the whole's.
pub(crate) fn run(args: &Args, workspace: &Workspace) -> Result<u8> {
    setup::run(Scope::Machine)?;
    let machine = Machine {
        init: build_init(workspace)?,
        program: Program::find(workspace, &args.command)?,
        accelerator: qemu::accelerator(&Kernel::find(Series::V6_1)?.image)?,
        limit: Duration::from_secs(args.limit),
    };
    let statuses: Vec<u8> = args
        .kernel
        .series()
        .iter()
        .map(|series| machine.run(*series))
        .collect::<Result<_>>()?;
    Ok(statuses
        .into_iter()
        .find(|status| *status != 0)
        .unwrap_or(0))
}

/// Everything but the kernel.
struct Machine {
    init: PathBuf,
    program: Program,
    accelerator: Accelerator,
    limit: Duration,
}

impl Machine {
    fn run(&self, series: Series) -> Result<u8> {
        let kernel = Kernel::find(series)?;
        let folder = tempfile::tempdir()?;
        let image = folder.path().join("initrd");
        image::write(&image, &kernel, &self.init, &self.program)?;
        let started = Instant::now();
        let ending = qemu::boot(self.accelerator, &kernel.image, &image, self.limit)?;
        let (verdict, status) = self.verdict(&ending);
        let seconds = started.elapsed().as_secs_f32();
        let (version, accelerator) = (version(&kernel.modules), self.accelerator);
        println!("vm: Linux {version} ({accelerator:?}): {verdict}, after {seconds:.1} s");
        Ok(status)
    }

    fn verdict(&self, ending: &Ending) -> (String, u8) {
        match ending {
            Ending::Status(0) => ("passed".to_owned(), 0),
            Ending::Status(status) => (format!("failed with exit status {status}"), *status),
            Ending::Stopped => (
                "stopped before the command ended; its last lines say why".to_owned(),
                1,
            ),
            Ending::Hung => (
                format!(
                    "killed: nothing ended within {} s (--limit)",
                    self.limit.as_secs()
                ),
                124,
            ),
        }
    }
}

/// Static, so that it runs before there is anything else in the machine.
fn build_init(workspace: &Workspace) -> Result<PathBuf> {
    let mut build = workspace.cargo(["build", "--quiet", "--package", "enforcer-vm", "--release"]);
    build.args([
        "--bin",
        "enforcer-vm",
        "--target",
        "x86_64-unknown-linux-gnu",
    ]);
    build.env("RUSTFLAGS", "-C target-feature=+crt-static");
    executable(build)
}

fn version(modules: &Path) -> String {
    modules
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
