//! Captures through the real programs, as `enforcer trace` runs them.

mod ending;
mod formats;
mod judged;
mod memory;
mod refused;
mod sent;
