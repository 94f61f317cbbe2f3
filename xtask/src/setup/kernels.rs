//! Debian's kernels, unpacked for the virtual machine and never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt;
use super::progress::step;

/// What [`unpack_all`] does, as one would type it.
pub(crate) const BY_HAND: &str = "`cargo xtask setup` as root on Debian 12, or for each series: dpkg -x \
     linux-image-….deb ~/.cache/enforcer/kernels/SERIES and depmod -b ~/.cache/enforcer/kernels/SERIES VERSION";

/// A kernel series that the project is tried on.
#[derive(Clone, Copy)]
pub(crate) enum Series {
    /// Debian 12's own: no TCX.
    V6_1,
    /// Debian 12's backport: TCX.
    V6_12,
}

impl Series {
    /// Every series, oldest first.
    pub(crate) const ALL: &[Self] = &[Self::V6_1, Self::V6_12];

    /// The series as people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
        }
    }

    /// The package whose dependency is the newest kernel of the series.
    fn meta_package(self) -> &'static str {
        match self {
            Self::V6_1 => "linux-image-cloud-amd64",
            Self::V6_12 => "linux-image-6.12-cloud-amd64",
        }
    }

    fn folder(self) -> PathBuf {
        cache().join(self.name())
    }
}

/// An unpacked kernel.
pub(crate) struct Kernel {
    /// The bootable image.
    pub(crate) image: PathBuf,
    /// The folder of its modules, with `modules.dep`.
    pub(crate) modules: PathBuf,
}

impl Kernel {
    /// The unpacked kernel of a series.
    pub(crate) fn find(series: Series) -> Result<Self> {
        let folder = series.folder();
        let modules = only_entry(&folder.join("lib/modules"))?;
        let version = modules.file_name().unwrap_or_default().to_string_lossy();
        let image = folder.join(format!("boot/vmlinuz-{version}"));
        Ok(Self { image, modules })
    }
}

/// Whether every series is there. Folders appear whole, by renaming.
pub(crate) fn are_unpacked() -> bool {
    Series::ALL.iter().all(|series| series.folder().is_dir())
}

/// Fetches and unpacks what is not there yet.
pub(crate) fn unpack_all() -> Result<()> {
    apt::update()?;
    Series::ALL
        .iter()
        .copied()
        .filter(|series| !series.folder().is_dir())
        .try_for_each(unpack)
}

fn unpack(series: Series) -> Result<()> {
    let package = apt::dependency(series.meta_package(), "linux-image-")?;
    let work = cache().join(format!("{}.partial", series.name()));
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    let (download, tree) = (work.join("download"), work.join("tree"));
    fs::create_dir_all(&download).with_context(|| format!("cannot make {}", download.display()))?;
    apt::download(&package, &download)?;
    let archive = only_entry(&download)?;
    let mut dpkg = Command::new("dpkg");
    step(
        &format!("unpacking {package}"),
        dpkg.arg("-x").arg(archive).arg(&tree),
    )?;
    index_modules(&tree)?;
    fs::rename(&tree, series.folder())?;
    fs::remove_dir_all(&work)?;
    Ok(())
}

/// Writes `modules.dep`, which Debian writes only when a kernel is installed.
fn index_modules(tree: &Path) -> Result<()> {
    let modules = only_entry(&tree.join("lib/modules"))?;
    let version = modules
        .file_name()
        .context("a kernel without a version")?
        .to_owned();
    let depmod = super::probe::command("depmod").unwrap_or_else(|| "depmod".into());
    step(
        "listing modules",
        Command::new(depmod).arg("-b").arg(tree).arg(version),
    )
}

fn only_entry(folder: &Path) -> Result<PathBuf> {
    let missing = || {
        format!(
            "{} holds no kernel: run `cargo xtask setup`",
            folder.display()
        )
    };
    let entry = fs::read_dir(folder)
        .with_context(missing)?
        .next()
        .with_context(missing)??;
    Ok(entry.path())
}

/// Outside `target/`, so that `cargo clean` costs no download.
fn cache() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    base.unwrap_or_else(home).join("enforcer/kernels")
}
