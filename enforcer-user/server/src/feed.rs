//! The feed: each change, once stored, goes to every stream that is open.

use tokio::sync::broadcast;

use crate::store::changes::Change;

/// How many changes a stream may lag behind before it is cut off. It then comes back with its
/// revision and finds them in the change log, so memory stays bounded and nothing is lost.
const LAG: usize = 4096;

/// Where stored changes are handed to streams. Clones are the same feed.
#[derive(Clone, Debug)]
pub struct Feed(broadcast::Sender<Change>);

impl Feed {
    /// A feed that nobody follows yet.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(LAG))
    }

    /// Follows the changes from now on.
    pub fn follow(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }

    /// Hands a change to all who follow.
    pub fn publish(&self, change: Change) {
        // An error means that nobody follows, which is fine: the change is stored.
        let _ = self.0.send(change);
    }
}
