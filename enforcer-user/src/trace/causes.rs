//! The errors of the library for captures, which say little without their causes.

use std::error::Error;

/// An error and what caused it, down to the first cause.
pub(super) fn causes(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", causes(cause)),
        None => error.to_string(),
    }
}
