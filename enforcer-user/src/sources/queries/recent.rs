//! Hosts that need not be asked about again yet.

use std::{num::NonZeroUsize, sync::Mutex, time::Duration};

use enforcer_common::host::Host;
use lru::LruCache;
use tokio::time::Instant;

/// How many are remembered; one that falls out is merely asked about once more.
const HOSTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");
/// How long an answer keeps the host from being asked about again.
const REST: Duration = Duration::from_secs(1);

/// Hosts with the time before which they are not asked about again.
#[derive(Debug)]
pub(super) struct Recent(Mutex<LruCache<Host, Instant>>);

impl Default for Recent {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(HOSTS)))
    }
}

impl Recent {
    /// Whether the host is to be asked about; then it is under way for at most `limit`.
    pub(super) fn admit(&self, host: Host, now: Instant, limit: Duration) -> bool {
        let mut hosts = self.lock();
        if hosts.get(&host).is_some_and(|until| now < *until) {
            return false;
        }
        hosts.put(host, now + limit);
        true
    }

    pub(super) fn answered(&self, hosts: &[Host], now: Instant) {
        let mut recent = self.lock();
        for host in hosts {
            recent.put(*host, now + REST);
        }
    }

    pub(super) fn forget(&self, hosts: &[Host]) {
        let mut recent = self.lock();
        for host in hosts {
            recent.pop(host);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Host, Instant>> {
        self.0.lock().expect("nobody panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::host::Address;

    use super::*;

    #[test]
    fn a_host_is_not_asked_about_twice_at_once() {
        let host = Host {
            zone: 0,
            address: Address::v4([10, 0, 0, 1]),
        };
        let (recent, start, limit) = (Recent::default(), Instant::now(), 2 * REST);
        assert!(recent.admit(host, start, limit));
        assert!(!recent.admit(host, start + limit / 2, limit), "under way");
        recent.answered(&[host], start + limit / 2);
        assert!(
            !recent.admit(host, start + limit / 2 + REST / 2, limit),
            "just answered"
        );
        assert!(recent.admit(host, start + limit / 2 + REST, limit));
        recent.forget(&[host]);
        assert!(
            recent.admit(host, start + limit, limit),
            "the request failed"
        );
    }
}
