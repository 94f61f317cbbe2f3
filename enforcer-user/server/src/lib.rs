//! The management server.
//!
//! A report comes in at [`api`], is judged ([`judge`]) by the [`policy`], becomes a decision
//! ([`decide`]), is stored by the one writer ([`ledger`], [`store`]) and goes out to the gateways over
//! the [`feed`]. It knows nothing of packets: an address is only where an endpoint may be met.
//!
//! The text of an error holds its cause, in front of what to do about it; so no cause is given a second
//! time as the error's source.

pub mod admin;
mod any_client;
pub mod api;
pub mod config;
pub mod decide;
pub mod feed;
pub mod judge;
pub mod ledger;
mod listen;
pub mod policy;
mod serve;
pub mod state_dir;
pub mod store;
pub mod tls;

pub use config::ServerConfig;
pub use serve::{ServeError, Server, run};
