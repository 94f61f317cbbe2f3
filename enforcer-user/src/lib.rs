//! The gateway.

pub mod cli;
