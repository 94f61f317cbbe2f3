//! The decision, on tables that stand in memory.

mod laws;
mod model;
mod standing;
mod unknown;
mod world;
