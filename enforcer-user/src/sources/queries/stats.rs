//! What became of the questions, for metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counts of hosts. They only grow.
#[derive(Debug, Default)]
pub struct QueryStats {
    asked: AtomicU64,
    coalesced: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    known: AtomicU64,
    unknown: AtomicU64,
    is_failing: AtomicBool,
}

impl QueryStats {
    /// Hosts that were asked about.
    pub fn asked(&self) -> u64 {
        self.asked.load(Relaxed)
    }

    /// Questions that another one under way, or just answered, made needless.
    pub fn coalesced(&self) -> u64 {
        self.coalesced.load(Relaxed)
    }

    /// Questions dropped since too many waited.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Hosts that were asked about without an answer.
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// Hosts that the server answered about, whatever it said.
    pub fn answered(&self) -> u64 {
        self.known() + self.unknown()
    }

    /// Hosts of which the server knew something.
    pub fn known(&self) -> u64 {
        self.known.load(Relaxed)
    }

    /// Hosts of which the server knew nothing.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(Relaxed)
    }

    /// Hosts whose answer is awaited.
    pub fn pending(&self) -> u64 {
        self.asked().saturating_sub(self.answered() + self.failed())
    }

    pub(super) fn ask(&self, hosts: usize) {
        self.asked.fetch_add(hosts as u64, Relaxed);
    }

    pub(super) fn coalesce_one(&self) {
        self.coalesced.fetch_add(1, Relaxed);
    }

    pub(super) fn drop_one(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn succeed(&self, known: usize, unknown: usize) {
        self.known.fetch_add(known as u64, Relaxed);
        self.unknown.fetch_add(unknown as u64, Relaxed);
        self.is_failing.store(false, Relaxed);
    }

    /// Returns whether this is the first failure since the last success.
    pub(super) fn fail(&self, hosts: usize) -> bool {
        self.failed.fetch_add(hosts as u64, Relaxed);
        !self.is_failing.swap(true, Relaxed)
    }
}
