//! The agent against a real TLS server on loopback.

mod client;
mod reporter;
mod server;
