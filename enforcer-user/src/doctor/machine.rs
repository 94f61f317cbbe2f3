//! The machine and its kernel.

use std::{fs, io, path::Path};

use nix::sys::utsname::uname;

use super::{Answer, Subject};
use crate::datapath;

/// The oldest kernel that takes the programs, and the one with links for traffic control.
const OLDEST: (u32, u32) = (6, 1);
const TCX: (u32, u32) = (6, 6);

pub(super) fn capabilities(_: &Subject) -> Vec<Answer> {
    vec![match datapath::check_capabilities() {
        Ok(()) => Answer::ok("", "all that is needed"),
        Err(error) => Answer::fail("", error.to_string(), "run it as root"),
    }]
}

/// `6.12.38-1-amd64` is 6.12.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let (major, minor) = (numbers.next()?, numbers.next()?);
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn release() -> Option<String> {
    Some(uname().ok()?.release().to_string_lossy().into_owned())
}

pub(super) fn kernel(_: &Subject) -> Vec<Answer> {
    let release = release().unwrap_or_default();
    vec![match version(&release) {
        Some(number) if number >= OLDEST => Answer::ok("", format!("Linux {release}")),
        _ => Answer::fail("", format!("Linux {release}"), "install Linux 6.1 or later"),
    }]
}

pub(super) fn tcx(_: &Subject) -> Vec<Answer> {
    let has = release().and_then(|release| version(&release)) >= Some(TCX);
    vec![if has {
        Answer::ok("", "links for traffic control")
    } else {
        Answer::warn(
            "",
            "no links for traffic control: filters are used, which others can remove",
            "Linux 6.6 or later has them",
        )
    }]
}

pub(super) fn btf(_: &Subject) -> Vec<Answer> {
    vec![if Path::new("/sys/kernel/btf/vmlinux").exists() {
        Answer::ok("", "the kernel describes its types")
    } else {
        Answer::warn(
            "",
            "the kernel does not describe its types: tools that look into programs show less",
            "a kernel with CONFIG_DEBUG_INFO_BTF has it; the gateway works without",
        )
    }]
}

pub(super) fn jit(_: &Subject) -> Vec<Answer> {
    const SWITCH: &str = "/proc/sys/net/core/bpf_jit_enable";
    vec![match fs::read_to_string(SWITCH) {
        Ok(text) if text.trim() == "0" => Answer::warn(
            "",
            "programs are interpreted, at a fraction of the speed",
            "sysctl -w net.core.bpf_jit_enable=1",
        ),
        Ok(_) => Answer::ok("", "programs are compiled"),
        // The switch belongs to the machine, and is not shown in other network namespaces.
        Err(error) => Answer::ok("", format!("not shown here ({error})")),
    }]
}

pub(super) fn bpffs(subject: &Subject) -> Vec<Answer> {
    let path = &subject.config.pin_dir;
    let object = path.display().to_string();
    vec![match datapath::check_mount(path) {
        Ok(()) => Answer::ok(object, "on a BPF file system"),
        Err(error) => Answer::fail(object, error.to_string(), "mount -t bpf bpf /sys/fs/bpf"),
    }]
}

pub(super) fn conntrack(_: &Subject) -> Vec<Answer> {
    let count = fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count");
    vec![match count {
        Ok(count) => Answer::ok("", format!("{} connections tracked", count.trim())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Answer::ok(
            "",
            "the kernel tracks no connections: none have to be forgotten",
        ),
        Err(error) => Answer::warn("", error.to_string(), "run it as root"),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("6.12.38-1-amd64"), Some((6, 12)));
        assert_eq!(version("6.1.0"), Some((6, 1)));
        assert!(version("6.12.0") > Some(TCX) && version("5.15.1") < Some(OLDEST));
        assert_eq!(version("unknown"), None);
    }
}
