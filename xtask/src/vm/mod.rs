//! `cargo xtask vm`: runs the tests and the demo, or a command, under Debian's kernels in QEMU.

mod console;
mod cpio;
mod image;
mod modules;
mod part;
mod qemu;
mod sizes;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::setup::{self, Kernel, Scope, Series};
use crate::tally::Tally;
use crate::workspace::{Profile, Workspace, executable};
use console::{Console, Limits, Verdict};
use image::Content;
use part::Part;
use qemu::Accelerator;

/// What is run, and under which kernels.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The kernel series to boot.
    #[arg(long, value_enum, default_value_t = Choice::All)]
    kernel: Choice,
    /// Seconds after which a machine counts as hung and is killed.
    #[arg(long, default_value_t = LIMIT)]
    limit: u64,
    /// Seconds after which a part of what it runs counts as hung, and the machine is killed.
    #[arg(long, default_value_t = PART_LIMIT)]
    part_limit: u64,
    /// Only the tests that tell most of a kernel.
    #[arg(long, conflicts_with = "command")]
    quick: bool,
    /// Optimise what runs in it, which takes longer to build and runs many times faster where there is no KVM.
    #[arg(long)]
    optimised: bool,
    /// Only measure the kernel programs, and write their sizes into the table of the tests.
    #[arg(long, conflicts_with = "command")]
    record: bool,
    /// A path, a binary or test of the workspace, or a command of this machine; by default all
    /// integration tests and the demo.
    #[arg(last = true)]
    command: Vec<String>,
}

/// What suits two cores without KVM.
const LIMIT: u64 = 3600;
const PART_LIMIT: u64 = 900;

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

/// Boots each kernel and runs everything in it; the first exit status that is not 0 is the whole's.
pub(crate) fn run(args: &Args, workspace: &Workspace) -> Result<u8> {
    setup::run(Scope::Machine)?;
    let profile = if args.optimised {
        Profile::Emulated
    } else {
        Profile::Dev
    };
    let parts = match args.command.split_first() {
        Some((word, words)) => vec![Part::find(workspace, profile, word, words)?],
        None if args.quick => Part::telling(workspace, profile)?,
        None if args.record => vec![Part::sizes(workspace)?],
        None => Part::everything(workspace, profile)?,
    };
    let limits = Limits {
        whole: Duration::from_secs(args.limit),
        part: Duration::from_secs(args.part_limit),
    };
    let machine = Machine::new(workspace, profile, &parts, limits)?;
    let outcomes = machine.boot_each(args.kernel.series())?;
    let status = outcomes
        .iter()
        .map(|outcome| outcome.verdict.status)
        .find(|status| *status != 0);
    if args.record && status.is_none() {
        let here = sizes::Sizes::here(workspace)?;
        let measured = outcomes
            .into_iter()
            .map(|outcome| (outcome.series, outcome.sizes));
        sizes::record(workspace, &measured.chain([here]).collect::<Vec<_>>())?;
    }
    Ok(status.unwrap_or(0))
}

/// Runs what tells most under these kernels, and counts what passes.
pub(crate) fn test(workspace: &Workspace, kernels: &[Series], tally: &mut Tally) -> Result<()> {
    setup::run(Scope::Machine)?;
    let limits = Limits {
        whole: Duration::from_secs(LIMIT),
        part: Duration::from_secs(PART_LIMIT),
    };
    let parts = Part::telling(workspace, Profile::Dev)?;
    let machine = Machine::new(workspace, Profile::Dev, &parts, limits)?;
    let outcomes = machine.boot_each(kernels)?;
    for outcome in &outcomes {
        tally.add(&outcome.tally);
    }
    ensure!(
        outcomes.iter().all(|outcome| outcome.verdict.status == 0),
        "not everything passed under every kernel"
    );
    Ok(())
}

/// Everything but the kernel.
struct Machine {
    content: Content,
    accelerator: Accelerator,
    limits: Limits,
}

/// What came of one kernel.
struct Outcome {
    /// The series of the kernel, as people write it.
    series: String,
    verdict: Verdict,
    tally: Tally,
    sizes: sizes::Sizes,
    /// The whole in one line.
    line: String,
}

impl Machine {
    fn new(
        workspace: &Workspace,
        profile: Profile,
        parts: &[Part],
        limits: Limits,
    ) -> Result<Self> {
        let accelerator = qemu::accelerator(&Kernel::find(Series::V6_1)?.image)?;
        let programs = [
            (image::GATEWAY.to_owned(), workspace.gateway(profile)?),
            (image::XTASK.to_owned(), std::env::current_exe()?),
        ];
        let tests = parts
            .iter()
            .filter_map(|part| Some((part.place(), part.binary.clone()?)));
        let environment = [
            (enforcer_vm::SLOWNESS, accelerator.slowness().to_string()),
            (enforcer_vm::PROGRAM, image::GATEWAY.to_owned()),
        ];
        let series = enforcer_vm::Series {
            environment: environment
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            parts: parts.iter().map(Part::told).collect(),
        };
        let content = Content {
            init: build_init(workspace)?,
            programs: programs.into_iter().chain(tests).collect(),
            series,
        };
        Ok(Self {
            content,
            accelerator,
            limits,
        })
    }

    /// Boots one kernel after the other, and tells at the end what came of each.
    fn boot_each(&self, kernels: &[Series]) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        let booted = kernels.iter().try_for_each(|series| {
            outcomes.push(self.boot(*series)?);
            anyhow::Ok(())
        });
        for Outcome { line, .. } in &outcomes {
            println!("{line}");
        }
        booted.map(|()| outcomes)
    }

    fn boot(&self, series: Series) -> Result<Outcome> {
        let kernel = Kernel::find(series)?;
        let name = format!(
            "Linux {} ({:?})",
            version(&kernel.modules),
            self.accelerator
        );
        println!("── {name}");
        let folder = tempfile::tempdir()?;
        let image = folder.path().join("initrd");
        image::write(&image, &kernel, &self.content)?;
        let started = Instant::now();
        let mut console = Console::new(self.limits);
        let ending = qemu::boot(self.accelerator, &kernel.image, &image, &mut console)?;
        let verdict = console.verdict(ending);
        let seconds = started.elapsed().as_secs_f32();
        Ok(Outcome {
            series: series.name().to_owned(),
            line: format!("vm: {name}: {verdict}, after {seconds:.1} s"),
            verdict,
            tally: console.tally,
            sizes: console.sizes,
        })
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
