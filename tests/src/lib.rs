//! What the integration tests share.

pub mod bpffs;
pub mod cpu;
pub mod fixture;
pub mod gate;
pub mod reply;
pub mod table;
pub mod tally;
