//! The decision, on tables that stand in memory.

mod laws;
mod lies;
mod model;
mod replies;
mod standing;
mod traffic;
mod unknown;
mod world;
