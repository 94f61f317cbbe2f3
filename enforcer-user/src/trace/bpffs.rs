//! A BPF file system of this process's own.

use std::path::{Path, PathBuf};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

/// Where it is mounted, which every system has that knows of BPF.
const PLACE: &str = "/sys/fs/bpf";

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum BpfFsError {
    /// No namespace of its own.
    #[error(
        "cannot have mounts of its own ({0}); run as root, or with CAP_SYS_ADMIN besides CAP_BPF, CAP_NET_ADMIN and \
         CAP_PERFMON"
    )]
    Unshare(Errno),
    /// Not mounted.
    #[error(
        "cannot mount a BPF file system on {PLACE} ({0}); is BPF part of this kernel, and /sys mounted?"
    )]
    Mount(Errno),
}

/// Mounts one that nobody else sees, and names a directory on it. What is pinned there is gone when this
/// process ends, however it ends.
pub(super) fn mount_own() -> Result<PathBuf, BpfFsError> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(BpfFsError::Unshare)?;
    let nothing = None::<&str>;
    // Or the mount would be passed on to where this namespace came from.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(nothing, "/", nothing, private, nothing).map_err(BpfFsError::Unshare)?;
    let bpf = Some("bpf");
    mount(bpf, PLACE, bpf, MsFlags::empty(), nothing).map_err(BpfFsError::Mount)?;
    Ok(Path::new(PLACE).join("enforcer"))
}
