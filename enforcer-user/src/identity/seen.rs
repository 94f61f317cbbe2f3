//! Which MAC address was seen at which address.

use std::num::NonZeroUsize;

use enforcer_common::host::Host;
use lru::LruCache;

use super::mac::Mac;

/// Neighbours of the kernel that are kept: many times what its tables hold by default.
const NEIGHBOURS: NonZeroUsize = NonZeroUsize::new(1 << 16).expect("not zero");
/// Hosts of which only packets were seen. They are kept apart, so that a flood of made-up senders
/// cannot push out a neighbour.
const SIGHTINGS: NonZeroUsize = NonZeroUsize::new(1 << 16).expect("not zero");

/// What the gateway has seen at each address. A neighbour, which answered the kernel, counts more than
/// a mere packet, whose sender could write what it liked.
#[derive(Debug)]
pub(super) struct Seen {
    neighbours: LruCache<Host, Mac>,
    sightings: LruCache<Host, Mac>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            neighbours: LruCache::new(NEIGHBOURS),
            sightings: LruCache::new(SIGHTINGS),
        }
    }
}

impl Seen {
    pub(super) fn mac(&self, host: &Host) -> Option<Mac> {
        let neighbour = self.neighbours.peek(host);
        neighbour.or_else(|| self.sightings.peek(host)).copied()
    }

    /// A packet came from this host.
    pub(super) fn sight(&mut self, host: Host, mac: Mac) {
        self.sightings.put(host, mac);
    }

    /// The kernel has this neighbour, or has it no longer. A neighbour that fell silent is no proof that
    /// the address is another's: what was seen last counts until something else is seen.
    pub(super) fn neighbour(&mut self, host: Host, mac: Option<Mac>) {
        match mac {
            Some(mac) => _ = self.neighbours.put(host, mac),
            None => {
                if let Some(last) = self.neighbours.pop(&host) {
                    self.sightings.put(host, last);
                }
            }
        }
    }
}
