//! The real gateway in network namespaces, with real sockets.

mod audit;
mod closing;
mod compliance;
mod configuration;
mod failing;
mod far_end;
mod full;
mod inventory;
mod lease;
mod lists;
mod lying;
mod management;
mod metrics;
mod operator;
mod pins;
mod restart;
mod state;
mod traced;
mod vanish;
