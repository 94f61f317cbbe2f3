//! Errors with their causes, for logs: a JSON log would otherwise leave the causes out.

use std::{error::Error, fmt};

/// Prints an error, then what caused it, down to the first cause.
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0
            .source()
            .map_or(Ok(()), |cause| write!(f, ": {}", Causes(cause)))
    }
}
