//! Endpoints whose addresses are translated on the way: each decision finds its host. Needs root.

mod claims;
mod fixed;
mod gateway;
mod inbound;
mod moves;
mod none;
mod router;
mod scene;
mod several;
mod sites;
