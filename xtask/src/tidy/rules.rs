//! The rules themselves, as tables. An exception is a row here, with its reason.

/// No file of Rust is longer.
pub(super) const MAX_LINES: usize = 400;

/// Files that may be longer than [`MAX_LINES`].
pub(super) const LONG_FILES: &[&str] = &[];

/// Names that say nothing of what a file holds.
pub(super) const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "manager", "types", "misc",
];

/// Files where `unsafe` may stand.
pub(super) const UNSAFE_PLACES: &[&str] = &[
    // The packet cursor: bytes of a packet, after their bounds are checked.
    "enforcer-ebpf/src/cursor.rs",
    // Fields of the contexts, and helper calls.
    "enforcer-ebpf/src/frame.rs",
    // Map rows, which the kernel hands out as pointers.
    "enforcer-ebpf/src/maps.rs",
    // The licence that the loader looks for.
    "enforcer-ebpf/src/main.rs",
    // aya-build is told by an environment variable to build `core` with a stable compiler.
    "enforcer-user/build.rs",
    // Plain memory layouts that kernel and user space exchange.
    "enforcer-user/src/datapath/plain.rs",
    // The event ring, registered with the runtime for as long as it lives.
    "enforcer-user/src/datapath/events.rs",
    // The same for the log of development builds.
    "enforcer-user/src/datapath/kernel_log.rs",
    // The raw bpf(2) call for batches, which no library has.
    "enforcer-user/src/datapath/batch.rs",
];

/// Words that may not stand in some part of the tree.
pub(super) struct Ban {
    pub(super) under: &'static str,
    pub(super) except: &'static [&'static str],
    pub(super) words: &'static [&'static str],
    pub(super) why: &'static str,
}

pub(super) const BANS: &[Ban] = &[
    Ban {
        under: "enforcer-user/src/",
        except: &["enforcer-user/src/datapath/"],
        words: &["aya", "aya_obj", "aya_log"],
        why: "only datapath/ names aya",
    },
    Ban {
        under: "common/src/",
        except: &[],
        words: &["aya", "aya_ebpf"],
        why: "common knows no aya: the kernel and every other program share it",
    },
    Ban {
        under: "enforcer-user/src/registry/",
        except: &[],
        words: &[
            "tokio",
            "async",
            "std::fs",
            "std::net::TcpStream",
            "Instant::now",
            "SystemTime",
        ],
        why: "registry/ is pure: no async, no I/O, no clock of its own",
    },
    Ban {
        under: "tests/",
        except: &["tests/src/wait.rs"],
        words: &["sleep"],
        why: "tests wait for a condition, through tests/src/wait.rs, the one place that pauses between looks",
    },
];

/// Packages that another package may not depend on, tests aside.
pub(super) struct Wall {
    pub(super) package: &'static str,
    pub(super) barred: &'static [&'static str],
    pub(super) why: &'static str,
}

pub(super) const WALLS: &[Wall] = &[
    Wall {
        package: "enforcer-common",
        barred: &[
            "aya",
            "aya-ebpf",
            "aya-obj",
            "tokio",
            "enforcer",
            "enforcer-protocol",
        ],
        why: "common stands below everything and knows no I/O",
    },
    Wall {
        package: "enforcer-ebpf",
        barred: &[
            "enforcer",
            "enforcer-protocol",
            "enforcer-server",
            "enforcer-agent",
        ],
        why: "the datapath knows common alone",
    },
    Wall {
        package: "enforcer-protocol",
        barred: &[
            "aya",
            "tokio",
            "axum",
            "reqwest",
            "enforcer",
            "enforcer-server",
            "enforcer-agent",
        ],
        why: "the protocol is types alone",
    },
    Wall {
        package: "enforcer-server",
        barred: &["aya", "enforcer", "enforcer-common", "enforcer-agent"],
        why: "the management server knows nothing of packets, gateways or agents",
    },
    Wall {
        package: "enforcer-agent",
        barred: &["aya", "enforcer", "enforcer-common", "enforcer-server"],
        why: "the agent knows the protocol alone",
    },
];
