//! The network interfaces of this machine, as the kernel tells of them.

mod features;
mod filters;
mod genl;
mod link;
mod xdp_features;

pub use features::{Feature, Features, State};
pub use filters::{Filter, filters};
pub use link::{Link, Xdp, XdpMode, all, named};
pub use xdp_features::{XdpFeatures, xdp_features};
