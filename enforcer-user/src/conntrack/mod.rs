//! The kernel's connection tracking table: what is taken out of it, and whose connections it translates.
//!
//! The datapath stops a host's packets at once. What was set up for its flows stays in the table: mappings of
//! addresses, and permissions that rules and offloads take from it. It goes here, in batches, on a thread of its
//! own: the controller hands hosts over and never waits.
//!
//! A management server sees endpoints under the addresses that this machine translates theirs to. Which connection is
//! whose is watched here, kept for a while after its end, and asked of the kernel where it was not seen.

mod entry;
mod filter;
mod forgetter;
mod table;
mod translation;
mod translations;
mod watch;
mod whose;

pub use entry::Whose;
pub use forgetter::{Batch, Forgetter, run};
pub use table::{ConntrackError, Forgotten, forget};
pub use translation::{Outside, Translation};
pub use translations::Translations;
pub use watch::{Servers, Told, WatchError, watch};
pub use whose::{Connections, Opened};
