//! Why nothing is traced, or not everything.

use std::io;

use nix::errno::Errno;

use super::{BpfFsError, CaptureError, JudgeError, SentError};
use crate::{
    config::{Choice, CompileError, check::AdmitError},
    datapath::DatapathError,
    sources::file::HostsFileError,
};

/// Why nothing can be traced.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] AdmitError),
    /// What it compiles to.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// An interface that the configuration has not.
    #[error("the configuration names no interface `{name}`; {choice}")]
    Interface {
        /// The name.
        name: String,
        /// What may be meant.
        choice: Choice,
    },
    /// This machine's addresses.
    #[error("cannot read the addresses of this machine: {0}")]
    Addresses(Errno),
    /// The list of hosts.
    #[error(transparent)]
    Hosts(#[from] HostsFileError),
    /// The gateway would have no room for them.
    #[error(
        "the list has {count} hosts of one family, and the gateway room for {capacity}; raise `host_capacity`"
    )]
    TooManyHosts {
        /// How many are listed.
        count: usize,
        /// For how many there is room.
        capacity: u32,
    },
    /// No place for pins.
    #[error(transparent)]
    BpfFs(#[from] BpfFsError),
    /// The kernel side.
    #[error(transparent)]
    Datapath(#[from] DatapathError),
    /// The programs.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The capture.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The file for what would be sent.
    #[error(transparent)]
    Sent(#[from] SentError),
    /// The signals cannot be waited for.
    #[error("cannot wait for signals: {0}")]
    Signals(Errno),
}

/// Why a trace ended before its capture did, or has not judged all of it.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The capture.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The programs.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The file for what would be sent.
    #[error(transparent)]
    Sent(#[from] SentError),
    /// The lines.
    #[error("cannot print the result: {0}")]
    Print(io::Error),
    /// Somebody asked for it.
    #[error("interrupted after packet {0}; what is said so far holds")]
    Interrupted(u64),
    /// Some packets could not be judged.
    #[error(
        "not judged: {count} of {packets} packets, of which the first is packet {first}: {why}"
    )]
    Unjudged {
        /// How many.
        count: u64,
        /// Of how many.
        packets: u64,
        /// The number of the first.
        first: u64,
        /// Why it was not.
        why: String,
    },
}
