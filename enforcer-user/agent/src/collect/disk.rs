//! Whether the disk under the root file system is encrypted.
//!
//! sysfs says of each block device which devices lie under it. The root is encrypted when every way down
//! from it goes through dm-crypt.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use nix::sys::stat::{major, minor};

const BLOCK_DEVICES: &str = "/sys/dev/block";

/// Whether it is; `None` for roots that lie on no block device, such as overlays and network shares,
/// and on devices whose ground is out of sight.
pub fn encrypted() -> Option<bool> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let number = match parse_root(&mounts)? {
        Root::Device(number) => number,
        Root::Source(path) => {
            let device = fs::metadata(path).ok()?.rdev();
            format!("{}:{}", major(device), minor(device))
        }
    };
    all_ways_encrypted(&Path::new(BLOCK_DEVICES).join(number))
}

/// What the root file system is mounted from.
#[derive(Debug, PartialEq, Eq)]
enum Root<'a> {
    /// A block device, by number.
    Device(String),
    /// A block device, by path: btrfs and others number themselves.
    Source(&'a str),
}

/// The root in `mountinfo`: `ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS … - TYPE SOURCE OPTIONS`. The
/// last one lies on top.
fn parse_root(mounts: &str) -> Option<Root<'_>> {
    let is_root = |line: &&str| line.split_whitespace().nth(4) == Some("/");
    let line = mounts.lines().rfind(is_root)?;
    let number = line.split_whitespace().nth(2)?;
    if !number.starts_with("0:") {
        return Some(Root::Device(number.to_owned()));
    }
    let source = line.split_once(" - ")?.1.split_whitespace().nth(1)?;
    source.starts_with("/dev/").then_some(Root::Source(source))
}

/// Whether every way down from this device goes through dm-crypt.
fn all_ways_encrypted(device: &Path) -> Option<bool> {
    let device = device.canonicalize().ok()?;
    if is_encrypted(&device) {
        return Some(true);
    }
    // A partition lies in its disk, which may itself be made of others (a RAID).
    if device.join("partition").exists() {
        return all_ways_encrypted(device.parent()?);
    }
    let under: Vec<_> = fs::read_dir(device.join("slaves"))
        .ok()?
        .flatten()
        .collect();
    if under.is_empty() {
        // A file's own ground, and a disk over the network, are out of sight.
        let hidden = ["loop", "nbd", "rbd"]
            .iter()
            .any(|kind| is_kind(&device, kind));
        return (!hidden).then_some(false);
    }
    let ways: Vec<_> = under
        .iter()
        .map(|entry| all_ways_encrypted(&entry.path()))
        .collect();
    if ways.contains(&Some(false)) {
        return Some(false);
    }
    ways.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
}

/// Whether this is a dm-crypt device. cryptsetup names verity and integrity devices alike, which hide
/// nothing.
fn is_encrypted(device: &Path) -> bool {
    let uuid = fs::read_to_string(device.join("dm/uuid")).unwrap_or_default();
    let kind = uuid.strip_prefix("CRYPT-").unwrap_or("VERITY");
    !["VERITY", "INTEGRITY"]
        .iter()
        .any(|open| kind.starts_with(open))
}

fn is_kind(device: &Path, kind: &str) -> bool {
    device
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(kind))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A tree like that of sysfs.
    struct Devices(TempDir);

    impl Devices {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        fn device(self, name: &str, under: &[&str]) -> Self {
            let device = self.0.path().join(name);
            fs::create_dir_all(device.join("slaves")).unwrap();
            for path in under {
                let link = device.join("slaves").join(path.replace('/', "-"));
                symlink(self.0.path().join(path), link).unwrap();
            }
            self
        }

        fn mapped(self, name: &str, uuid: &str, under: &[&str]) -> Self {
            let this = self.device(name, under);
            let device = this.0.path().join(name).join("dm");
            fs::create_dir(&device).unwrap();
            fs::write(device.join("uuid"), format!("{uuid}\n")).unwrap();
            this
        }

        fn partition(self, name: &str) -> Self {
            let device = self.0.path().join(name);
            fs::create_dir_all(&device).unwrap();
            fs::write(device.join("partition"), "1\n").unwrap();
            self
        }

        fn judge(&self, name: &str) -> Option<bool> {
            all_ways_encrypted(&self.0.path().join(name))
        }
    }

    #[test]
    fn volumes_on_an_encrypted_partition() {
        let devices = Devices::new()
            .device("sda", &[])
            .partition("sda/sda2")
            .mapped("dm-0", "CRYPT-LUKS2-0123-luks", &["sda/sda2"])
            .mapped("dm-1", "LVM-abc", &["dm-0"]);
        assert_eq!(devices.judge("dm-1"), Some(true));
        assert_eq!(devices.judge("sda/sda2"), Some(false));
    }

    #[test]
    fn one_open_leg_is_enough_to_be_open() {
        let devices = Devices::new()
            .device("sda", &[])
            .device("sdb", &[])
            .mapped("dm-0", "CRYPT-LUKS2-0123-luks", &["sda"])
            .device("md0", &["dm-0", "sdb"])
            .partition("md0/md0p1");
        assert_eq!(devices.judge("md0/md0p1"), Some(false));
    }

    #[test]
    fn verity_hides_nothing() {
        let devices = Devices::new()
            .device("vda", &[])
            .mapped("dm-0", "CRYPT-VERITY-0123-root", &["vda"])
            .mapped("dm-1", "CRYPT-INTEGRITY-0123", &["vda"]);
        assert_eq!(devices.judge("dm-0"), Some(false));
        assert_eq!(devices.judge("dm-1"), Some(false));
    }

    #[test]
    fn what_is_out_of_sight_is_not_known() {
        let devices = Devices::new()
            .device("loop0", &[])
            .device("vda", &[])
            .mapped("dm-0", "CRYPT-LUKS2-0123-luks", &["vda"])
            .device("md0", &["dm-0", "loop0"]);
        assert_eq!(devices.judge("loop0"), None);
        assert_eq!(devices.judge("md0"), None);
        assert_eq!(devices.judge("gone"), None);
    }

    #[test]
    fn roots_in_mountinfo() {
        let line = |number: &str, point: &str, source: &str| {
            format!("27 1 {number} / {point} rw,relatime shared:1 - ext4 {source} rw,discard\n")
        };
        let disk = line("0:2", "/", "none") + &line("254:0", "/", "/dev/vda");
        assert_eq!(parse_root(&disk), Some(Root::Device("254:0".into())));
        let btrfs = line("0:33", "/", "/dev/mapper/luks") + &line("254:1", "/boot", "/dev/vda1");
        assert_eq!(parse_root(&btrfs), Some(Root::Source("/dev/mapper/luks")));
        assert_eq!(parse_root(&line("0:50", "/", "overlay")), None);
        assert_eq!(parse_root("27 1 254:0\n/ /\n"), None);
    }
}
