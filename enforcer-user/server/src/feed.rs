//! The feed: each change, once stored, goes to every stream that is open.

use tokio::sync::broadcast;

use crate::store::changes::Change;

/// The least that a stream may lag behind, however short the change log.
const LEAST_LAG: usize = 16;
/// The most, however long: each of these is a line in memory.
const MOST_LAG: usize = 8192;

/// Where stored changes are handed to streams. Clones are the same feed.
#[derive(Clone, Debug)]
pub struct Feed(broadcast::Sender<Change>);

impl Feed {
    /// A feed that nobody follows yet. A stream that lags behind by more than an eighth of the change
    /// log is cut off: so memory stays bounded, and what it missed is still in the log when it comes
    /// back with its revision.
    pub fn new(change_log: u32) -> Self {
        let lag = usize::try_from(change_log / 8).unwrap_or(usize::MAX);
        Self(broadcast::Sender::new(lag.clamp(LEAST_LAG, MOST_LAG)))
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
