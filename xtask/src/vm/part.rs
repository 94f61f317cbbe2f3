//! Finds what the machine is to run.

use std::iter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::image;
use crate::setup::probe;
use crate::workspace::{Executable, Profile, Workspace, executables};

/// Tests that need the kernel alone, the quickest first: they run before those that need a network. Tests that are not
/// named here come after them.
const FIRST: &[&str] = &[
    "size",
    "packets",
    "own",
    "tables",
    "table",
    "cache",
    "differential",
];

/// Tests that show best what differs between kernels: every test run has time for them.
const TELLING: &[&str] = &["size", "packets", "own", "tables", "links"];

/// Tests whose tools, a whole Python or Prometheus, no image has room for.
const ELSEWHERE: &[&str] = &["alerts", "bypass", "prometheus"];
/// The same, of tests that run there otherwise.
const SKIPPED: &[(&str, &str)] = &[
    ("confinement", "calls::"),
    ("confinement", "maps::"),
    ("confinement", "unit::"),
];

/// The package of the integration tests.
const TESTS: &str = "enforcer-tests";

/// A command for the machine.
pub(super) struct Part {
    pub(super) name: String,
    /// The binary to copy into the image; none for one that every image has.
    pub(super) binary: Option<PathBuf>,
    /// The command line; its first word is the name of the binary.
    words: Vec<String>,
}

impl Part {
    /// Where the binary stands in the image: where nobody looks for a tool, whose name a test may have.
    pub(super) fn place(&self) -> String {
        format!("/usr/local/libexec/{}", self.words[0])
    }

    /// The part as init is told of it.
    pub(super) fn told(&self) -> enforcer_vm::Part {
        let mut words = self.words.clone();
        if self.binary.is_some() {
            words[0] = self.place();
        }
        enforcer_vm::Part {
            name: self.name.clone(),
            words,
        }
    }

    /// The tests that tell most.
    pub(super) fn telling(workspace: &Workspace, profile: Profile) -> Result<Vec<Self>> {
        let mut parts = Self::everything(workspace, profile)?;
        parts.retain(|part| TELLING.contains(&part.name.as_str()));
        Ok(parts)
    }

    /// Every integration test, in the order in which they run, and the demo.
    pub(super) fn everything(workspace: &Workspace, profile: Profile) -> Result<Vec<Self>> {
        let build = workspace.cargo_in(profile, ["test", "--no-run", "--package", TESTS]);
        let mut tests = executables(build)?;
        tests.retain(|test| test.kinds == ["test"] && !ELSEWHERE.contains(&test.name.as_str()));
        tests.sort_by_cached_key(|test| (rank(&test.name), test.name.clone()));
        Ok(tests
            .into_iter()
            .map(Self::test)
            .chain([Self::demo()])
            .collect())
    }

    /// The test that tells how large the kernel programs are.
    pub(super) fn sizes(workspace: &Workspace) -> Result<Self> {
        Self::find(workspace, Profile::Dev, "size", &["--nocapture".to_owned()])
    }

    fn test(test: Executable) -> Self {
        // What passes may have figures to show.
        let show = ["--show-output"];
        let skipped = SKIPPED.iter().filter(|(of, _)| *of == test.name);
        let skips = skipped.flat_map(|(_, module)| ["--skip", *module]);
        let arguments = show.into_iter().chain(skips).map(str::to_owned);
        Self {
            words: iter::once(test.name.clone()).chain(arguments).collect(),
            name: test.name,
            binary: Some(test.path),
        }
    }

    /// The demo, with the program that is in the image.
    fn demo() -> Self {
        let words = ["xtask", "demo", "--json", "--program", image::GATEWAY];
        Self {
            name: "demo".to_owned(),
            binary: None,
            words: words.map(str::to_owned).to_vec(),
        }
    }

    /// Finds a command: a path, then a binary or test of the workspace (which is built), then a
    /// command of this machine, then one of busybox.
    pub(super) fn find(
        workspace: &Workspace,
        profile: Profile,
        word: &str,
        args: &[String],
    ) -> Result<Self> {
        let path = Path::new(word);
        let name = path.file_name().map_or_else(
            || word.to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        let binary = if word.contains('/') {
            let binary = path.canonicalize();
            Some(binary.with_context(|| format!("there is no {word} to run"))?)
        } else {
            build(workspace, profile, word)?.or_else(|| probe::command(word))
        };
        if binary.is_none() && !is_of_busybox(word) {
            bail!("{word} is no binary or test of the workspace and no command of this machine");
        }
        let words = iter::once(&name).chain(args).cloned().collect();
        Ok(Self {
            name,
            binary,
            words,
        })
    }
}

fn rank(test: &str) -> usize {
    let first = FIRST.iter().position(|first| *first == test);
    first.unwrap_or(FIRST.len())
}

fn is_of_busybox(name: &str) -> bool {
    probe::output("busybox", &["--list"]).is_some_and(|list| list.lines().any(|line| line == name))
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Builds the binary or test of this name, if the workspace has one.
fn build(workspace: &Workspace, profile: Profile, name: &str) -> Result<Option<PathBuf>> {
    let output = workspace
        .cargo(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo metadata failed")?;
    let mut packages = metadata.packages;
    // The kernel object is a "binary" that no machine can run.
    packages.retain(|package| package.name != "enforcer-ebpf");
    // Where two have a test of the same name, the one that every kernel is tried with is meant.
    packages.sort_by_key(|package| package.name != TESTS);
    let targets = packages.iter().flat_map(|package| {
        let named = package.targets.iter().filter(|target| target.name == name);
        named
            .flat_map(|target| &target.kind)
            .map(|kind| (package.name.as_str(), kind.as_str()))
    });
    for (package, kind) in targets {
        let build = match kind {
            "bin" => ["build", "--package", package, "--bin", name].to_vec(),
            "test" => ["test", "--no-run", "--package", package, "--test", name].to_vec(),
            _ => continue,
        };
        let build = workspace.cargo_in(profile, build);
        let is_it = |built: &Executable| built.name == name && built.kinds == [kind];
        return Ok(executables(build)?
            .into_iter()
            .find(is_it)
            .map(|built| built.path));
    }
    Ok(None)
}
