//! The kernel's connection tracking table, from which the connections of a host that is cut are taken.
//!
//! The datapath stops a host's packets at once. What was set up for its flows stays in the table: mappings of
//! addresses, and permissions that rules and offloads take from it. It goes here, in batches, on a thread of its
//! own: the controller hands hosts over and never waits.

mod entry;
mod forgetter;
mod table;

pub use entry::Whose;
pub use forgetter::{Batch, Forgetter, run};
pub use table::{ConntrackError, Forgotten, forget};
