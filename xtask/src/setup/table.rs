//! Everything that a machine needs, in the order in which it is installed.

use super::Scope;
use super::requirement::Check::{Ask, Command, File};
use super::requirement::Install::{ByHand, Packages, Step};
use super::requirement::Requirement;
use super::{apt, kernels, linker, probe, prometheus};

/// What a command of this scope needs on this kind of machine.
pub(crate) fn requirements(can_install: bool, scope: Scope) -> Vec<&'static Requirement> {
    let build = if can_install {
        BUILD_ON_DEBIAN
    } else {
        BUILD_ELSEWHERE
    };
    let groups = [
        (Scope::Build, build),
        (Scope::Run, RUN),
        (Scope::Test, TEST),
        (Scope::Machine, MACHINE),
    ];
    groups
        .into_iter()
        .filter(|(of, _)| *of <= scope)
        .flat_map(|(_, group)| group)
        .collect()
}

/// Debian's compiler and source of `core` stand in for a nightly, which a machine that reaches only
/// package registries cannot fetch.
const BUILD_ON_DEBIAN: &[Requirement] = &[
    Requirement {
        name: "C++ compiler",
        check: Command("g++"),
        install: Packages(&["g++"]),
    },
    Requirement {
        name: "Rust compiler with LLVM 22, for BPF",
        check: Ask(probe::debian_compiler),
        install: Packages(&["rustc-web"]),
    },
    Requirement {
        name: "source of the core library, for BPF",
        check: File("/usr/lib/rustlib/src/rust/library/core/Cargo.toml"),
        install: Packages(&["rust-web-src"]),
    },
    Requirement {
        name: "LLVM 22, for bpf-linker",
        check: File("/usr/lib/llvm-22/bin/llvm-config"),
        install: Packages(&["llvm-22-dev", "libpolly-22-dev"]),
    },
    Requirement {
        name: "rustup toolchain `ebpf`",
        check: Ask(probe::linked_toolchain),
        install: Step {
            run: linker::link_toolchain,
            by_hand: "rustup toolchain link ebpf /usr",
        },
    },
    Requirement {
        name: "bpf-linker 0.13.0",
        check: Ask(linker::is_installed),
        install: Step {
            run: linker::install,
            by_hand: linker::BY_HAND,
        },
    },
];

const BUILD_ELSEWHERE: &[Requirement] = &[
    Requirement {
        name: "nightly Rust with rust-src, for BPF",
        check: Ask(probe::any_bpf_toolchain),
        install: ByHand("rustup toolchain install nightly --component rust-src"),
    },
    Requirement {
        name: "bpf-linker on the PATH",
        check: Command("bpf-linker"),
        install: ByHand("cargo install bpf-linker --version 0.13.0 --locked"),
    },
];

const RUN: &[Requirement] = &[
    Requirement {
        name: "ip",
        check: Command("ip"),
        install: Packages(&["iproute2"]),
    },
    Requirement {
        name: "nft",
        check: Command("nft"),
        install: Packages(&["nftables"]),
    },
    Requirement {
        name: "conntrack",
        check: Command("conntrack"),
        install: Packages(&["conntrack"]),
    },
    Requirement {
        name: "ethtool",
        check: Command("ethtool"),
        install: Packages(&["ethtool"]),
    },
    Requirement {
        name: "ping",
        check: Command("ping"),
        install: Packages(&["iputils-ping"]),
    },
    Requirement {
        name: "curl",
        check: Command("curl"),
        install: Packages(&["curl"]),
    },
    Requirement {
        name: "network namespaces, veth and nftables in the running kernel",
        check: Ask(probe::namespaces),
        install: ByHand("modprobe -a veth nf_tables, or a kernel that has them"),
    },
];

/// What attackers use, what reads the metrics, and what takes mail.
const TEST: &[Requirement] = &[
    Requirement {
        name: "scapy",
        check: File("/usr/lib/python3/dist-packages/scapy/__init__.py"),
        install: Packages(&["python3-scapy"]),
    },
    Requirement {
        name: "hping3",
        check: Command("hping3"),
        install: Packages(&["hping3"]),
    },
    Requirement {
        name: "thc-ipv6",
        check: Command("atk6-firewall6"),
        install: Packages(&["thc-ipv6"]),
    },
    Requirement {
        name: "bpftool",
        check: Command("bpftool"),
        install: Packages(&["bpftool"]),
    },
    Requirement {
        name: "strace",
        check: Command("strace"),
        install: Packages(&["strace"]),
    },
    Requirement {
        name: "nmap",
        check: Command("nmap"),
        install: Packages(&["nmap"]),
    },
    Requirement {
        name: "tcpreplay",
        check: Command("tcpreplay"),
        install: Packages(&["tcpreplay"]),
    },
    Requirement {
        name: "arpspoof",
        check: Command("arpspoof"),
        install: Packages(&["dsniff"]),
    },
    Requirement {
        name: "aiosmtpd",
        check: File("/usr/lib/python3/dist-packages/aiosmtpd/__init__.py"),
        install: Packages(&["python3-aiosmtpd"]),
    },
    Requirement {
        name: "prometheus and promtool",
        check: Command("promtool"),
        install: Step {
            run: prometheus::install,
            by_hand: prometheus::BY_HAND,
        },
    },
];

const MACHINE: &[Requirement] = &[
    Requirement {
        name: "QEMU",
        check: Command("qemu-system-x86_64"),
        install: Step {
            run: || apt::install_beside("qemu-system-x86", "qemu-utils"),
            by_hand: "apt-get install --no-install-recommends qemu-system-x86",
        },
    },
    Requirement {
        name: "depmod",
        check: Command("depmod"),
        install: Packages(&["kmod"]),
    },
    Requirement {
        name: "xz",
        check: Command("xz"),
        install: Packages(&["xz-utils"]),
    },
    Requirement {
        name: "strip",
        check: Command("strip"),
        install: Packages(&["binutils"]),
    },
    Requirement {
        name: "setpriv",
        check: Command("setpriv"),
        install: Packages(&["util-linux"]),
    },
    Requirement {
        name: "static busybox",
        check: Command("busybox"),
        install: Packages(&["busybox-static"]),
    },
    Requirement {
        name: "Debian's kernels 6.1 and 6.12",
        check: Ask(kernels::are_unpacked),
        install: Step {
            run: kernels::unpack_all,
            by_hand: kernels::BY_HAND,
        },
    },
];
