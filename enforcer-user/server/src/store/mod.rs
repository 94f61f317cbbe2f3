//! What the server knows, in SQLite. One connection writes; readers see whole transactions.
//!
//! The functions here are queries and nothing more: what follows from what stands in
//! [`ledger`](crate::ledger) for the running server and in [`admin`](crate::admin) for the operator.

pub mod audit;
pub mod changes;
pub mod endpoints;
mod error;
mod open;
pub mod tokens;

use jiff::Timestamp;

pub use self::{
    error::StoreError,
    open::{open, readers, set_aside, verify},
};

/// A time as it stands in the database.
fn stored(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A time from the database.
fn restored(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or_default()
}
