//! The agent against real TLS servers on loopback.

mod against_the_server;
mod answers;
mod client;
mod reporter;
mod sample;
