//! The work tree, and cargo run inside it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// How what is built is to be: the profiles of the root manifest.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// Built in no time.
    Dev,
    /// What is delivered and measured.
    Release,
    /// Optimised for machines without KVM.
    Emulated,
}

impl Profile {
    /// The release profile if that is wanted.
    pub(crate) fn release(wanted: bool) -> Self {
        if wanted { Self::Release } else { Self::Dev }
    }

    /// What cargo is told of it; `cargo test` has a default of its own.
    fn argument(self) -> Option<&'static str> {
        match self {
            Self::Dev => None,
            Self::Release => Some("--profile=release"),
            Self::Emulated => Some("--profile=emulated"),
        }
    }
}

/// The work tree that this program was started from.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the work tree: the folder above this package.
    pub(crate) fn find() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").context(
            "xtask was started without cargo and does not know its work tree: run `cargo xtask`",
        )?;
        let root = Path::new(&package)
            .parent()
            .context("xtask has no folder above it")?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// The folder that holds the root manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo command that runs in the root of the work tree.
    pub(crate) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new("cargo");
        command.args(args).current_dir(&self.root);
        command
    }

    /// The same for a command that builds.
    pub(crate) fn cargo_in<'a>(
        &self,
        profile: Profile,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = self.cargo(args);
        command.args(profile.argument());
        command
    }

    /// Builds the gateway with its kernel object and says where the binary is.
    pub(crate) fn gateway(&self, profile: Profile) -> Result<PathBuf> {
        let args = ["build", "--package", "enforcer", "--bin", "enforcer"];
        executable(self.cargo_in(profile, args))
    }
}

/// An executable that cargo has built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Executable {
    /// The name of its target.
    pub(crate) name: String,
    /// What kinds of target that is: `bin`, `test`, …
    pub(crate) kinds: Vec<String>,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// Runs a cargo command that builds exactly one executable and says where that is.
pub(crate) fn executable(build: Command) -> Result<PathBuf> {
    let what = shown(&build);
    match <[Executable; 1]>::try_from(executables(build)?) {
        Ok([executable]) => Ok(executable.path),
        Err(found) => bail!("{what} built {} executables, not one", found.len()),
    }
}

/// Runs a cargo command that builds, and says which executables it makes.
///
/// Asking cargo holds with any target folder, profile and triple.
pub(crate) fn executables(mut build: Command) -> Result<Vec<Executable>> {
    build.arg("--message-format=json-render-diagnostics");
    let mut child = build
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo could not be started")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut found = Vec::new();
    for line in BufReader::new(stdout).lines() {
        found.extend(executable_in(&line?));
    }
    ensure!(
        child.wait()?.success(),
        "the build failed: {}",
        shown(&build)
    );
    Ok(found)
}

/// The executable that a line of cargo's messages announces, if it does.
fn executable_in(line: &str) -> Option<Executable> {
    #[derive(serde::Deserialize)]
    struct Message {
        target: Target,
        executable: Option<PathBuf>,
    }
    #[derive(serde::Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let message: Message = serde_json::from_str(line).ok()?;
    Some(Executable {
        name: message.target.name,
        kinds: message.target.kind,
        path: message.executable?,
    })
}

/// Runs a command on this terminal; fails with its text when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("`{}` could not be started", shown(command)))?;
    ensure!(status.success(), "`{}` failed: {status}", shown(command));
    Ok(())
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_artifacts_with_an_executable_count() {
        let line =
            r#"{"target":{"name":"enforcer","kind":["bin"]},"executable":"/t/debug/enforcer"}"#;
        let expected = Executable {
            name: "enforcer".to_owned(),
            kinds: vec!["bin".to_owned()],
            path: PathBuf::from("/t/debug/enforcer"),
        };
        assert_eq!(executable_in(line), Some(expected));
        let library = r#"{"target":{"name":"x","kind":["lib"]},"executable":null}"#;
        assert_eq!(executable_in(library), None);
        assert_eq!(executable_in("Compiling"), None);
    }
}
