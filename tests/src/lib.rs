//! What the integration tests share.

pub mod bpffs;
pub mod fixture;
pub mod gate;
pub mod reply;
