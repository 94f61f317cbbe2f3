//! Finds what the machine is to run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::setup::probe;
use crate::workspace::{Workspace, executable};

/// A command for the machine.
pub(super) struct Program {
    /// The binary to copy into the image; none for a command of busybox.
    pub(super) binary: Option<PathBuf>,
    name: String,
    args: Vec<String>,
}

impl Program {
    /// Where the binary stands in the image.
    pub(super) fn place(&self) -> String {
        format!("/usr/local/bin/{}", self.name)
    }

    /// The command line.
    pub(super) fn words(&self) -> Vec<String> {
        std::iter::once(&self.name)
            .chain(&self.args)
            .cloned()
            .collect()
    }

    /// Finds a command: a path, then a binary or test of the workspace (which is built), then a
    /// command of this machine, then one of busybox. No command means the packet fixtures.
    pub(super) fn find(workspace: &Workspace, command: &[String]) -> Result<Self> {
        let Some((word, args)) = command.split_first() else {
            let name = "packets".to_owned();
            let binary = build(workspace, &name)?;
            return Ok(Self {
                binary: Some(binary.context("enforcer-tests has no test `packets`")?),
                name,
                args: Vec::new(),
            });
        };
        let path = Path::new(word);
        let name = path
            .file_name()
            .map_or_else(|| word.clone(), |name| name.to_string_lossy().into_owned());
        let args = args.to_vec();
        if word.contains('/') {
            let binary = path
                .canonicalize()
                .with_context(|| format!("there is no {word} to run"))?;
            return Ok(Self {
                binary: Some(binary),
                name,
                args,
            });
        }
        let binary = build(workspace, word)?.or_else(|| probe::command(word));
        if binary.is_none() && !is_of_busybox(word) {
            bail!("{word} is no binary or test of the workspace and no command of this machine");
        }
        Ok(Self { binary, name, args })
    }
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
fn build(workspace: &Workspace, name: &str) -> Result<Option<PathBuf>> {
    let output = workspace
        .cargo(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo metadata failed")?;
    // The kernel object is a "binary" that no machine can run.
    let packages = metadata
        .packages
        .iter()
        .filter(|package| package.name != "enforcer-ebpf");
    let targets = packages.flat_map(|package| {
        let named = package.targets.iter().filter(|target| target.name == name);
        named
            .flat_map(|target| &target.kind)
            .map(|kind| (package.name.as_str(), kind.as_str()))
    });
    for (package, kind) in targets {
        let build = match kind {
            "bin" => workspace.cargo(["build", "--package", package, "--bin", name]),
            "test" => workspace.cargo(["test", "--no-run", "--package", package, "--test", name]),
            _ => continue,
        };
        return executable(build).map(Some);
    }
    Ok(None)
}
