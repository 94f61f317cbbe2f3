//! The operator's tools, against running gateways.

mod events;
mod host;
mod hosts;
mod many;
mod reload;
mod rights;
mod top;
mod usage;
