//! How commands print their results and their errors.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::ValueEnum;
use serde::Serialize;

use crate::control::{client::CallError, refusal::Kind};

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Prints a result: its text for people, or itself as one JSON document.
pub fn print<T: Serialize>(
    format: Format,
    value: &T,
    text: impl FnOnce(&T) -> String,
) -> anyhow::Result<()> {
    let result = match format {
        Format::Text => text(value),
        Format::Json => serde_json::to_string_pretty(value)?,
    };
    line(&result).map(drop)
}

/// Prints a line. Whether anybody still reads.
pub fn line(text: &str) -> anyhow::Result<bool> {
    match writeln!(io::stdout(), "{text}") {
        // Whoever reads has seen enough, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).context("cannot print the result"),
    }
}

/// What commands end with.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or refused by the gateway
  2  the command line makes no sense
  3  what was asked about is not there, or no gateway runs";

/// What a command ends with when what was asked about is not there, or no gateway runs, as `systemctl` does.
const NOT_FOUND: u8 = 3;

/// Turns the result of a command into the exit code: 0, 3 when what was asked about is not there or no gateway
/// runs, and otherwise 1, with the error on standard error. (2 is for a command line that makes no sense.)
pub fn exit(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    eprintln!("enforcer: {error:#}");
    if is_not_found(&error) {
        ExitCode::from(NOT_FOUND)
    } else {
        ExitCode::FAILURE
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<CallError>() {
        Some(CallError::Absent(_) | CallError::Abandoned(_)) => true,
        Some(CallError::Refused(refusal)) => refusal.kind == Kind::NotFound,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Refusal;

    #[test]
    fn only_what_is_not_there_ends_with_3() {
        let address = "10.0.0.5".parse().expect("an address");
        let error = |refusal| anyhow::Error::from(CallError::Refused(refusal));
        assert!(is_not_found(&error(Refusal::no_host(address))));
        assert!(is_not_found(&CallError::Absent("x".into()).into()));
        assert!(!is_not_found(&error(Refusal::ambiguous(address, &[]))));
        assert!(!is_not_found(&anyhow::anyhow!("something else")));
    }
}
