//! What the processes of a gateway give up, so that a hole in one of them is not a way to the whole machine.
//!
//! A gateway gives up system calls and the bounding set of capabilities before it reads anything, and the capabilities
//! that only its start needs once that is over; threads other than the first never have them. A child that
//! speaks to the network has no capabilities and gives up far more system calls. What each of them keeps, and why,
//! is in the table of processes in `ARCHITECTURE.md`.

mod calls;
mod capabilities;
mod files;
mod filter;

use std::{
    io::{self, Write},
    path::Path,
};

use nix::sys::prctl;

pub use filter::Class;

/// Why a process cannot give up what it does not need.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// Capabilities.
    #[error("cannot give up capabilities: {0}")]
    Capabilities(#[from] caps::errors::CapsError),
    /// New privileges, or being looked into.
    #[error("cannot renounce new privileges: {0}")]
    Privileges(#[from] nix::Error),
    /// Files.
    #[error("cannot give up writing files: {0}")]
    Files(#[from] landlock::RulesetError),
    /// System calls.
    #[error("cannot give up system calls ({0}); the kernel needs CONFIG_SECCOMP_FILTER")]
    Calls(#[from] seccompiler::Error),
}

/// Gives up, for a whole gateway, what it never needs. Must come before there is a second thread: threads inherit
/// it.
pub fn gateway() -> Result<(), ConfineError> {
    prctl::set_no_new_privs()?;
    capabilities::bound()?;
    filter::apply(Class::Gateway)
}

/// Gives up writing files elsewhere than beneath these directories, which must be there. Must come before there is a
/// second thread.
pub fn files(places: &[&Path]) -> Result<(), ConfineError> {
    if !files::write_beneath(places)? {
        tracing::warn!(
            "this kernel has no Landlock: what breaks into the gateway may write every file of root; boot with \
             `lsm=landlock,…`, or let systemd hold it to its directories (`ProtectSystem=strict`)"
        );
    }
    Ok(())
}

/// Gives up, for this thread of a gateway, the capabilities that only its start needs.
pub fn started() -> Result<(), ConfineError> {
    Ok(capabilities::keep()?)
}

/// The same at the start of a thread, which must not go on with more.
pub fn thread() {
    or_abort(started());
}

/// Gives up every capability at the start of a thread that needs none.
pub fn bare() {
    or_abort(capabilities::drop_all().map_err(Into::into));
}

fn or_abort(given_up: Result<(), ConfineError>) {
    if let Err(error) = given_up {
        // Logs may be on their way through a thread that would end with this.
        let _lost = writeln!(io::stderr(), "{error}");
        std::process::abort();
    }
}

/// Gives up, for a process that speaks to the network, what it never needs. Must come before there is a second thread.
pub fn child() -> Result<(), ConfineError> {
    prctl::set_no_new_privs()?;
    // Others of the same user may look neither into its memory nor at its open files.
    prctl::set_dumpable(false)?;
    filter::apply(Class::Child)?;
    filter::apply(Class::Program)
}

/// Gives up system calls alone, for tests of what is left.
pub fn calls(class: Class) -> Result<(), ConfineError> {
    filter::apply(class)
}
