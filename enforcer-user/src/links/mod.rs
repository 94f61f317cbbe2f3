//! The network interfaces of this machine, as the kernel tells of them.

mod features;
mod filters;
mod genl;
mod inventory;
mod link;
mod watch;
mod way;
mod xdp_features;

pub use features::{Feature, Features, State};
pub use filters::{Filter, filters};
pub use inventory::{Cover, Forwarding, Passage, inventory};
pub use link::{Link, Xdp, XdpMode, all, named};
pub use watch::{WatchError, watch};
pub use way::{Way, Ways};
pub use xdp_features::{XdpFeatures, xdp_features};
