//! A BPF file system of the test's own.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Context;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use tempfile::TempDir;

/// A BPF file system on a temporary directory; unmounted when dropped, with all that is pinned on it.
pub struct BpfFs {
    directory: TempDir,
}

impl BpfFs {
    /// Mounts one.
    pub fn new() -> anyhow::Result<Self> {
        Self::new_in(&env::temp_dir())
    }

    /// The same below this directory.
    pub fn new_in(parent: &Path) -> anyhow::Result<Self> {
        let directory = TempDir::new_in(parent)?;
        mount(
            Some("bpf"),
            directory.path(),
            Some("bpf"),
            MsFlags::empty(),
            None::<&str>,
        )
        .context("cannot mount a BPF file system; these tests need root")?;
        Ok(Self { directory })
    }

    /// Unmounts it, with all that is pinned on it.
    pub fn unmount(&self) -> anyhow::Result<()> {
        umount2(self.path(), MntFlags::MNT_DETACH).context("cannot unmount it")
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A directory on it that does not exist yet.
    pub fn pin_dir(&self) -> PathBuf {
        self.path().join("enforcer")
    }
}

impl Drop for BpfFs {
    fn drop(&mut self) {
        let _ = umount2(self.path(), MntFlags::MNT_DETACH);
    }
}
