//! A disk that is small enough to be filled.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// A small file system at a directory; unmounted when dropped.
pub struct SmallDisk {
    directory: PathBuf,
}

impl SmallDisk {
    /// Mounts one of this many MiB, for all users, at a directory that it makes.
    pub fn new(directory: PathBuf, mebibytes: u32) -> anyhow::Result<Self> {
        fs::create_dir_all(&directory)?;
        let options = format!("size={mebibytes}m,mode=755");
        mount(
            Some("tmpfs"),
            &directory,
            Some("tmpfs"),
            MsFlags::empty(),
            Some(options.as_str()),
        )
        .context("cannot mount a small file system; these tests need root")?;
        Ok(Self { directory })
    }

    /// Fills it to the last byte.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::create(self.filler())?;
        // What is left of the last page goes with single bytes.
        for size in [1 << 16, 1] {
            loop {
                match filler.write_all(&vec![0; size]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => bail!("cannot fill the disk: {error}"),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub fn make_room(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.filler())?)
    }

    fn filler(&self) -> PathBuf {
        self.directory.join("filler")
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = umount2(&self.directory, MntFlags::MNT_DETACH);
    }
}
