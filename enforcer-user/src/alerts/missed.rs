//! What was tracked and did not fit into the queue.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::config::Track;

/// How often, by role. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Missed(Arc<Mutex<BTreeMap<String, (Track, u64)>>>);

impl Missed {
    /// So many more.
    pub(super) fn add(&self, role: &str, track: Track, count: u64) {
        let mut missed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_role = missed.entry(role.to_owned()).or_insert((track, 0));
        *of_role = (track, of_role.1.saturating_add(count));
    }

    /// All since the last time.
    pub(super) fn take(&self) -> BTreeMap<String, (Track, u64)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
