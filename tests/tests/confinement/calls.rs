//! System calls that are refused to root with all capabilities, by the filters alone.

use std::{
    collections::HashMap,
    os::unix::process::ExitStatusExt,
    process::{Command, Output},
};

use enforcer_tests::site::enforcer;
use nix::{
    errno::Errno,
    libc::{self, c_long},
};

/// Makes calls without arguments and prints the error of each.
const CALL: &str = "
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for call in map(int, sys.argv[1:]):
    failed = libc.syscall(call, 0, 0, 0, 0, 0, 0) < 0
    print(call, ctypes.get_errno() if failed else 0, flush=True)
";

/// What ends the process in a gateway, and is refused to children.
const FATAL: &[c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
];

/// What both are refused.
const REFUSED: &[c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_pidfd_getfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_sethostname,
    libc::SYS_syslog,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_personality,
];

/// What children are refused besides.
const REFUSED_TO_CHILDREN: &[c_long] = &[
    libc::SYS_bpf,
    libc::SYS_capset,
    libc::SYS_setuid,
    libc::SYS_setresuid,
    libc::SYS_setgroups,
    libc::SYS_kill,
    libc::SYS_pidfd_open,
];

/// Makes these calls behind a command.
fn call(prefix: &[&str], calls: &[c_long]) -> anyhow::Result<Output> {
    let mut command = Command::new(prefix[0]);
    command
        .args(&prefix[1..])
        .args(["/usr/bin/python3", "-c", CALL]);
    Ok(command
        .args(calls.iter().map(ToString::to_string))
        .output()?)
}

fn errors(prefix: &[&str], calls: &[c_long]) -> anyhow::Result<HashMap<c_long, i32>> {
    let done = call(prefix, calls)?;
    let printed = String::from_utf8(done.stdout)?;
    let mut errors = HashMap::new();
    for line in printed.lines() {
        let (call, error) = line.split_once(' ').unwrap_or_default();
        errors.insert(call.parse()?, error.parse()?);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(errors.len(), calls.len(), "{}: {said}", done.status);
    Ok(errors)
}

/// That they fail by the filter of this class, and not without it.
fn check(class: &str, calls: &[c_long]) -> anyhow::Result<()> {
    let program = enforcer().to_string_lossy();
    for (call, error) in errors(&[&program, "confined", class], calls)? {
        assert_eq!(error, Errno::EPERM as i32, "call {call} in {class}");
    }
    Ok(())
}

#[test]
fn what_a_gateway_never_calls_is_refused() -> anyhow::Result<()> {
    // Of some it can be seen without harm that they succeed without the filter.
    let harmless = [libc::SYS_unshare, libc::SYS_personality];
    for (call, error) in errors(&["env"], &harmless)? {
        assert_eq!(error, 0, "call {call}");
    }
    check("gateway", REFUSED)?;
    let program = enforcer().to_string_lossy();
    let absent = errors(&[&program, "confined", "gateway"], &[libc::SYS_clone3])?;
    assert_eq!(absent[&libc::SYS_clone3], Errno::ENOSYS as i32);
    Ok(())
}

#[test]
fn the_worst_ends_a_gateway() -> anyhow::Result<()> {
    let program = enforcer().to_string_lossy();
    for one in FATAL {
        let done = call(&[&program, "confined", "gateway"], &[*one])?;
        assert_eq!(done.status.signal(), Some(libc::SIGSYS), "call {one}");
    }
    Ok(())
}

#[test]
fn a_child_is_refused_much_more() -> anyhow::Result<()> {
    check("child", REFUSED)?;
    check("child", FATAL)?;
    check("child", REFUSED_TO_CHILDREN)
}

#[cfg(target_arch = "x86_64")]
#[test]
fn numbers_of_another_abi_end_a_gateway() -> anyhow::Result<()> {
    let program = enforcer().to_string_lossy();
    let done = call(
        &[&program, "confined", "gateway"],
        &[0x4000_0000 + libc::SYS_getpid],
    )?;
    assert_eq!(done.status.signal(), Some(libc::SIGSYS));
    Ok(())
}
