//! What can go wrong between user space and the kernel.

use std::{borrow::Cow, io, path::PathBuf};

use enforcer_common::host::Host;

use super::foreign::Stranger;
use crate::netlink::AnswerError;

/// An error of the datapath, with the object that it is about.
#[derive(Debug, thiserror::Error)]
pub enum DatapathError {
    /// The process lacks capabilities.
    #[error(
        "missing {0}; run as root, or give the program these capabilities (`setcap` or systemd's AmbientCapabilities)"
    )]
    Capabilities(String),
    /// The pin directory is on another kind of file system.
    #[error("{path} is not on a BPF file system; mount one there: `mount -t bpf bpf {mount}`")]
    NotBpfFs {
        /// The pin directory.
        path: PathBuf,
        /// Where to mount.
        mount: PathBuf,
    },
    /// A pinned map has another shape than this program needs.
    #[error(
        "the pinned map {path} has another shape ({found} instead of {wanted}); it was made with another `host_capacity` or by another build, and was left as it is: set `host_capacity` as it was, or stop enforcing and forget what was decided with `rm -r {dir}`, and start again"
    )]
    Shape {
        /// The map's pin.
        path: PathBuf,
        /// The directory of all pins.
        dir: PathBuf,
        /// What it has.
        found: String,
        /// What is needed.
        wanted: String,
    },
    /// A file in the pin directory could not be made or removed.
    #[error("{path}: {error}")]
    Pin {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The kernel object could not be read or its maps not created.
    #[error("cannot load the kernel object: {0}")]
    Load(#[from] aya::EbpfError),
    /// A map is missing in the object, or of another type.
    #[error("map {name}: {error}")]
    Map {
        /// The map's name.
        name: &'static str,
        /// Why.
        error: aya::maps::MapError,
    },
    /// The object does not hold this map or program.
    #[error("the kernel object has no `{0}`; it was built from other sources")]
    Missing(&'static str),
    /// The verifier refused a program, or it could not be attached.
    #[error("program {name}: {error}")]
    Program {
        /// The program's name.
        name: &'static str,
        /// Why.
        error: aya::programs::ProgramError,
    },
    /// The kernel did not take the rows of some hosts.
    #[error("table {table} does not take {} hosts: {}", hosts.len(), no_room(error))]
    Refused {
        /// The table.
        table: &'static str,
        /// The hosts.
        hosts: Vec<Host>,
        /// Why the first of them was refused.
        error: io::Error,
    },
    /// The verdict caches could not be told of a change.
    #[error(
        "table GENERATIONS: {0}; hosts that were seen lately may be judged by what was decided before"
    )]
    Generations(io::Error),
    /// The table of VLANs could not be written.
    #[error("table VLANS: {0}; frames with VLAN tags may be judged by the zones of before")]
    Vlans(io::Error),
    /// The calling thread cannot be bound to a CPU.
    #[error("cannot stay on one CPU: {0}")]
    Cpu(nix::Error),
    /// An interface does not exist.
    #[error("there is no interface `{0}`; `ip link` lists them")]
    NoInterface(String),
    /// The interfaces cannot be read.
    #[error("the kernel does not tell of its interfaces: {0}")]
    Interfaces(AnswerError),
    /// Another program holds the hook.
    #[error(
        "{interface}: another XDP program is attached{}; `ip link show {interface}` shows it, and its owner can take it off (`ip link set {interface} xdp off`)", named(program.as_ref())
    )]
    Occupied {
        /// The interface.
        interface: String,
        /// The program.
        program: Option<Stranger>,
    },
    /// Another program is there in traffic control.
    #[error(
        "{interface}: {program} of somebody else is attached in traffic control, where the gateway's must be alone: what one lets pass the other does not see; its owner can take it off (`tc filter show dev {interface} ingress`, `… egress`, `bpftool net show` show what is there)"
    )]
    Shared {
        /// The interface.
        interface: String,
        /// The program.
        program: Stranger,
    },
    /// The driver has no native XDP.
    #[error(
        "{interface}: its driver takes no XDP program there ({error}); choose `hook = \"auto\"` or `hook = \"tc\"` for it, or mend what keeps the driver from it: the MTU (`ip link set {interface} mtu 1500`), joined segments (`ethtool -K {interface} lro off`)"
    )]
    NoNativeXdp {
        /// The interface.
        interface: String,
        /// Why.
        error: io::Error,
    },
    /// The NIC takes VLAN tags out.
    #[error(
        "{0}: its NIC takes VLAN tags out of packets before XDP sees them, and `ethtool -K {0} rxvlan off` does not change that; choose `hook = \"auto\"` or `hook = \"tc\"` for it"
    )]
    TagsAreLost(String),
    /// A link could not be taken over or pinned.
    #[error("{interface}: {error}")]
    Link {
        /// The interface.
        interface: String,
        /// Why.
        error: aya::programs::links::LinkError,
    },
    /// A pin of a link failed.
    #[error("{interface}: {error}")]
    LinkPin {
        /// The interface.
        interface: String,
        /// Why.
        error: aya::pin::PinError,
    },
    /// The kernel's tick rate could not be found out.
    #[error(
        "the kernel's tick rate fits none of 100, 250, 300 or 1000 a second (jiffies {jiffies}, uptime {uptime:?})"
    )]
    TickRate {
        /// Jiffies read.
        jiffies: u64,
        /// Monotonic time read.
        uptime: std::time::Duration,
    },
    /// Too many interfaces.
    #[error("{0} interfaces are more than the datapath has rows for ({max})", max = enforcer_common::limits::INTERFACES)]
    TooManyInterfaces(usize),
    /// Reading the ring of events failed.
    #[error("the ring of events: {0}")]
    Events(io::Error),
}

/// What the kernel calls an argument list that is too long is a table without room.
fn no_room(error: &io::Error) -> Cow<'static, str> {
    match error.raw_os_error() {
        Some(libc::E2BIG) => "it is full; raise `host_capacity`".into(),
        _ => error.to_string().into(),
    }
}

fn named(program: Option<&Stranger>) -> String {
    program.map_or_else(String::new, |program| format!(" ({program})"))
}
