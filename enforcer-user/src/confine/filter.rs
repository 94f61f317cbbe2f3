//! Filters for system calls, which the kernel asks one after the other; the strictest answer counts.

use std::collections::BTreeMap;

use clap::ValueEnum;
use libc::{c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use super::{ConfineError, calls};

/// Whose system calls are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Class {
    /// A gateway and all that it starts.
    Gateway,
    /// A process that speaks to the network, but for [`Class::Program`].
    Child,
    /// A process that executes no other program.
    Program,
}

/// When a call is meant: always, or when one of these is so.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Namespaces that `clone` makes. Its newer form, whose arguments no filter can read, is not there for anybody.
const NAMESPACES: [c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// The bits of a socket's type that are no flags.
const SOCKET_TYPE: c_int = 0xf;

pub(super) fn apply(class: Class) -> Result<(), ConfineError> {
    for program in programs(class).map_err(seccompiler::Error::from)? {
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

fn programs(class: Class) -> Result<Vec<BpfProgram>, BackendError> {
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let absent = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    match class {
        Class::Gateway => Ok(vec![
            #[cfg(target_arch = "x86_64")]
            other_numbers(),
            compile(always(calls::FATAL), SeccompAction::KillProcess)?,
            compile(of_gateways()?, refuse)?,
            // Libraries go on with the older form.
            compile(always(&[libc::SYS_clone3]), absent)?,
        ]),
        Class::Child => Ok(vec![
            compile(of_children()?, refuse)?,
            compile(always(&[libc::SYS_clone3]), absent)?,
        ]),
        Class::Program => Ok(vec![compile(always(calls::PROGRAMS), refuse)?]),
    }
}

fn of_gateways() -> Result<Rules, BackendError> {
    let mut rules = always(calls::REFUSED);
    let namespaces = NAMESPACES.map(|flag| one(has(0, flag)?));
    rules.insert(
        libc::SYS_clone,
        namespaces.into_iter().collect::<Result<_, _>>()?,
    );
    Ok(rules)
}

fn of_children() -> Result<Rules, BackendError> {
    let mut rules = always(calls::REFUSED);
    rules.extend(always(calls::FATAL));
    rules.extend(always(calls::REFUSED_TO_CHILDREN));
    // Threads are made, processes are not.
    let process = SeccompCmpOp::MaskedEq(word(libc::CLONE_THREAD));
    rules.insert(libc::SYS_clone, vec![one(condition(0, process, 0)?)?]);
    let writable_code = has(2, libc::PROT_WRITE | libc::PROT_EXEC)?;
    rules.insert(libc::SYS_mmap, vec![one(writable_code)?]);
    rules.insert(libc::SYS_mprotect, vec![one(has(2, libc::PROT_EXEC)?)?]);
    rules.insert(libc::SYS_socket, sockets()?);
    Ok(rules)
}

/// Sockets other than those of portal and management server.
fn sockets() -> Result<Vec<SeccompRule>, BackendError> {
    let other = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6]
        .map(|family| condition(0, SeccompCmpOp::Ne, word(family)));
    let other = SeccompRule::new(other.into_iter().collect::<Result<_, _>>()?)?;
    let raw = SeccompCmpOp::MaskedEq(word(SOCKET_TYPE));
    Ok(vec![other, one(condition(1, raw, word(libc::SOCK_RAW))?)?])
}

/// Whatever the arguments.
fn always(calls: &[c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// That an argument has all of these bits.
fn has(argument: u8, bits: c_int) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::MaskedEq(word(bits)), word(bits))
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn one(condition: SeccompCondition) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![condition])
}

fn word(bits: c_int) -> u64 {
    bits.cast_unsigned().into()
}

fn compile(rules: Rules, action: SeccompAction) -> Result<BpfProgram, BackendError> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, action, arch)?.try_into()
}

/// Ends a process that makes a call by a number of the x32 ABI: the same calls under other numbers, which the other
/// filters do not know.
#[cfg(target_arch = "x86_64")]
fn other_numbers() -> BpfProgram {
    use seccompiler::sock_filter;
    const X32: u32 = 0x4000_0000;
    let step = |code: u32, jf, k| sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt: 0,
        jf,
        k,
    };
    vec![
        // The number is the first thing that a filter is shown.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, X32),
        step(
            libc::BPF_RET | libc::BPF_K,
            0,
            libc::SECCOMP_RET_KILL_PROCESS,
        ),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, process::Command, thread};

    use nix::{
        errno::Errno,
        sched::{CloneFlags, unshare},
        sys::{
            signal::kill,
            socket::{AddressFamily, SockFlag, SockType, socket},
        },
        unistd::getpid,
    };

    use super::*;

    /// Does something in a thread that may make the calls of these classes alone.
    fn within<T: Send + 'static>(
        classes: &'static [Class],
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let inside = thread::spawn(move || {
            for class in classes {
                apply(*class).expect("a filter");
            }
            work()
        });
        inside.join().expect("a thread that ends")
    }

    fn open(family: AddressFamily, kind: SockType) -> Result<(), Errno> {
        socket(family, kind, SockFlag::empty(), None).map(drop)
    }

    #[test]
    fn a_gateway_makes_threads_processes_and_sockets_and_no_namespace() {
        let (thread, child, link, namespace) = within(&[Class::Gateway], || {
            (
                thread::spawn(|| 7).join().ok(),
                Command::new("true")
                    .status()
                    .map(|done| done.success())
                    .ok(),
                open(AddressFamily::Netlink, SockType::Raw),
                unshare(CloneFlags::CLONE_NEWUTS),
            )
        });
        assert_eq!((thread, child), (Some(7), Some(true)));
        assert_eq!(link, Ok(()));
        assert_eq!(namespace, Err(Errno::EPERM));
    }

    #[test]
    fn a_child_serves_and_does_nothing_else() {
        let (thread, listener, others) = within(&[Class::Child, Class::Program], || {
            (
                thread::spawn(|| 7).join().ok(),
                TcpListener::bind("127.0.0.1:0")
                    .map(drop)
                    .map_err(|error| error.kind()),
                [
                    (
                        "a packet socket",
                        open(AddressFamily::Packet, SockType::Datagram),
                    ),
                    ("netlink", open(AddressFamily::Netlink, SockType::Datagram)),
                    ("a raw socket", open(AddressFamily::Inet, SockType::Raw)),
                    ("a signal", kill(getpid(), None)),
                    ("a namespace", unshare(CloneFlags::empty())),
                ],
            )
        });
        assert_eq!((thread, listener), (Some(7), Ok(())));
        for (what, result) in others {
            assert_eq!(result, Err(Errno::EPERM), "{what}");
        }
    }

    #[test]
    fn a_child_starts_no_program() {
        let started = |classes| within(classes, || Command::new("true").status().is_ok());
        assert!(started(&[Class::Gateway]));
        assert!(!started(&[Class::Child]));
        assert!(!started(&[Class::Program]));
    }
}
