//! The maps, which no child reaches.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use enforcer_common::limits;
use enforcer_tests::{
    namespace::output,
    site::{Site, enforcer},
    wait,
};
use nix::{errno::Errno, libc, unistd::Pid};

use super::status::Status;

/// Opens a pin by bpf(2), whose command 7 does that, and prints the number of the error.
const OPEN: &str = "
import ctypes, struct, sys
call, path = int(sys.argv[1]), ctypes.create_string_buffer(sys.argv[2].encode())
ask = ctypes.create_string_buffer(struct.pack('QII', ctypes.addressof(path), 0, 0), 120)
libc = ctypes.CDLL(None, use_errno=True)
print(ctypes.get_errno() if libc.syscall(call, 7, ask, 16) < 0 else 0)
";

/// The kinds of files that a process has open, as links of `/proc`.
fn open_files(pid: Pid) -> anyhow::Result<Vec<PathBuf>> {
    let files = fs::read_dir(format!("/proc/{pid}/fd"))?;
    Ok(files
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .collect())
}

/// How it ends when the command, and behind it a program, opens a pin: the number of the error, or 0.
fn opened(prefix: &[&str], pin: &Path) -> anyhow::Result<i32> {
    let mut words = prefix.to_vec();
    let call = libc::SYS_bpf.to_string();
    words.extend(["/usr/bin/python3", "-c", OPEN, &call]);
    let printed = output(Command::new(words[0]).args(&words[1..]).arg(pin))?;
    Ok(printed.trim().parse()?)
}

fn is_of_bpf(file: &Path) -> bool {
    file.to_string_lossy().contains("bpf")
}

#[test]
fn no_child_holds_a_map_or_can_open_one() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let held = open_files(gateway.pid())?;
    assert!(held.iter().any(|file| is_of_bpf(file)), "{held:?}");
    let pin = site
        .pin_dir()
        .join(format!("v{}/maps/HOSTS_V4", limits::ABI));
    assert_eq!(opened(&["env"], &pin)?, 0, "root opens it");
    for word in ["http", "server"] {
        let pid = wait::until("the child runs", || gateway.child(word));
        let held = open_files(pid)?;
        assert!(!held.is_empty());
        assert!(!held.iter().any(|file| is_of_bpf(file)), "{word}: {held:?}");

        // Its user may not, whatever the filter says.
        let threads = Status::of_threads(pid)?;
        let user = threads[0].users()[0].to_owned();
        let (user, group) = (format!("--reuid={user}"), format!("--regid={user}"));
        let prefix = ["setpriv", &user, &group, "--clear-groups"];
        let refused = opened(&prefix, &pin)?;
        let refusals = [Errno::EPERM as i32, Errno::EACCES as i32];
        assert!(refusals.contains(&refused), "{word}: {refused}");
    }

    // And the filter refuses, whoever the user is.
    let program = enforcer().to_string_lossy();
    let prefix = [&program, "confined", "child"];
    assert_eq!(opened(&prefix, &pin)?, Errno::EPERM as i32);
    let prefix = [&program, "confined", "gateway"];
    assert_eq!(opened(&prefix, &pin)?, 0, "a gateway opens it");
    Ok(())
}
