//! Where a demo stands: everything of it has a name with its number, and is found by that again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::namespace::Namespace;
use super::network::PLACES;
use super::wait;

/// How long killed processes may take to be gone.
const DYING: Duration = Duration::from_secs(5);

/// The namespaces and the directory of one demo.
pub(super) struct Site {
    number: u32,
}

impl Site {
    /// A site of this process, empty but for its directory and the BPF file system in it.
    pub(super) fn new() -> Result<Self> {
        let number = std::process::id();
        let site = Self { number };
        let dir = site.dir();
        fs::create_dir(&dir).with_context(|| {
            let dir = dir.display();
            format!(
                "cannot make {dir}; if an earlier demo left it, run `cargo xtask demo --take-down {number}`"
            )
        })?;
        // The gateway's children go through it without privileges.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))?;
        if let Err(error) = site.mount_bpffs() {
            site.take_down()?;
            return Err(error);
        }
        Ok(site)
    }

    /// The site with this number, which must be there.
    pub(super) fn existing(number: u32) -> Result<Self> {
        let site = Self { number };
        ensure!(site.dir().is_dir(), "there is no demo with number {number}");
        Ok(site)
    }

    /// Its number.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    fn name(&self) -> String {
        format!("enforcer-demo-{}", self.number)
    }

    /// Where files are: configuration, state, logs.
    pub(super) fn dir(&self) -> PathBuf {
        std::env::temp_dir().join(self.name())
    }

    /// The namespace of a place.
    pub(super) fn namespace(&self, place: &str) -> Namespace {
        Namespace::new(format!("{}-{place}", self.name()))
    }

    /// The BPF file system. `ip netns exec` hides that of the machine, and maps are to be pinned apart
    /// from those of a gateway that runs here in earnest.
    pub(super) fn bpffs(&self) -> PathBuf {
        self.dir().join("bpf")
    }

    fn mount_bpffs(&self) -> Result<()> {
        let path = self.bpffs();
        fs::create_dir(&path)?;
        let (kind, none) = (Some("bpf"), None::<&str>);
        mount(kind, &path, kind, MsFlags::empty(), none)
            .with_context(|| format!("cannot mount a BPF file system on {}", path.display()))
    }

    /// Ends and removes everything of it. What one step cannot do does not keep the others from it.
    pub(super) fn take_down(&self) -> Result<()> {
        let places = PLACES.map(|place| self.namespace(place));
        let places: Vec<_> = places.iter().filter(|place| place.exists()).collect();
        let mut done = vec![wait::until("all processes are gone", DYING, || {
            kill_all(&places)
        })];
        done.extend(places.iter().map(|place| place.delete()));
        done.push(self.remove_files());
        done.into_iter().collect()
    }

    fn remove_files(&self) -> Result<()> {
        let bpffs = self.bpffs();
        if is_mounted(&bpffs)? {
            umount2(&bpffs, MntFlags::MNT_DETACH)
                .with_context(|| format!("cannot unmount {}", bpffs.display()))?;
        }
        let dir = self.dir();
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))
    }

    /// Says how to look inside, and how to be rid of it.
    pub(super) fn keep(&self, enforcer: &Path) {
        let (name, dir, enforcer) = (self.name(), self.dir(), enforcer.display());
        let dir = dir.display();
        let inside = format!("ip netns exec {name}");
        eprintln!(
            "\
Everything is left standing. To look inside:
  {enforcer} --socket {dir}/run/control.sock status       (or hosts, explain 192.0.2.12)
  {inside}-gateway curl -s http://127.0.0.1:9469/metrics
  {inside}-desktop curl -i http://198.51.100.80/          (the host that does not comply)
  {inside}-laptop curl -i http://198.51.100.80/           (the one that does)
  less {dir}/gateway.log                    (beside it: configuration, state, other logs)
To take it down:
  cargo xtask demo --take-down {number}",
            number = self.number
        );
    }
}

/// Kills what is left; `Some` when nothing was.
fn kill_all(places: &[&Namespace]) -> Result<Option<()>> {
    let mut left = 0;
    for place in places {
        for pid in place.processes()? {
            // It may have gone since.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            left += 1;
        }
    }
    Ok((left == 0).then_some(()))
}

fn is_mounted(path: &Path) -> Result<bool> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let path = path.to_string_lossy();
    Ok(mounts
        .lines()
        .any(|line| line.split(' ').nth(1) == Some(&*path)))
}
