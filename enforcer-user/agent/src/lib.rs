//! What runs on an endpoint: it collects the endpoint's posture and reports it to the management
//! server.
//!
//! ```text
//! device ─┐
//! collect ┴▶ posture ─▶ client ─▶ management server
//!    ▲                    ▲ token
//!    └── reporter: at start, at an interval, and when watch sees a change
//! ```
//!
//! Whatever cannot be found out is `None` in the posture, never "no": policy decides what to make of
//! the unknown.

#![forbid(unsafe_code)]

pub mod client;
pub mod collect;
pub mod device;
pub mod level;
pub mod reporter;
pub mod server_url;
pub mod token;

mod backoff;
mod causes;
mod watch;
