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

/// Where a neighbour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) mac: Mac,
    /// The interface, as the kernel numbers it; `None` when only an earlier process knew.
    pub(super) interface: Option<u32>,
}

/// What the gateway has seen at each address. Who answered the gateway counts more than what the kernel was merely
/// told, and that more than a packet: their senders could write what they liked.
#[derive(Debug)]
pub(super) struct Seen {
    /// Who answered, also while nobody does: silence is no proof that the address is another's.
    answered: LruCache<Host, Place>,
    told: LruCache<Host, Place>,
    sightings: LruCache<Host, Mac>,
    /// Who was seen at an address while the one who answered there is asked again.
    suspects: LruCache<Host, Mac>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            answered: LruCache::new(NEIGHBOURS),
            told: LruCache::new(NEIGHBOURS),
            sightings: LruCache::new(SIGHTINGS),
            suspects: LruCache::new(SIGHTINGS),
        }
    }
}

impl Seen {
    /// Who answered at this address.
    pub(super) fn answered(&self, host: &Host) -> Option<Place> {
        self.answered.peek(host).copied()
    }

    /// Who is at this address as far as the kernel was told, when nobody answered.
    pub(super) fn told(&self, host: &Host) -> Option<Place> {
        self.told.peek(host).copied()
    }

    /// Who is at this address, by the best that is known.
    pub(super) fn place(&self, host: &Host) -> Option<Place> {
        let of_sighting = |mac: &Mac| Place {
            mac: *mac,
            interface: None,
        };
        self.answered(host)
            .or_else(|| self.told(host))
            .or_else(|| self.sightings.peek(host).map(of_sighting))
    }

    /// A packet came from this host.
    pub(super) fn sight(&mut self, host: Host, mac: Mac) {
        self.sightings.put(host, mac);
    }

    /// It answered the gateway.
    pub(super) fn answer(&mut self, host: Host, place: Place) {
        self.told.pop(&host);
        self.suspects.pop(&host);
        self.answered.put(host, place);
    }

    /// The kernel was told that it is there.
    pub(super) fn tell(&mut self, host: Host, place: Place) {
        self.answered.pop(&host);
        self.told.put(host, place);
    }

    /// The kernel no longer keeps it. What was seen last counts until something else is seen.
    pub(super) fn forget(&mut self, host: &Host) {
        if let Some(last) = self.told.pop(host) {
            self.sightings.put(*host, last.mac);
        }
    }

    /// Another was seen at this address.
    pub(super) fn suspect(&mut self, host: Host, mac: Mac) {
        self.suspects.put(host, mac);
    }

    /// Who it was, for the last time.
    pub(super) fn take_suspect(&mut self, host: &Host) -> Option<Mac> {
        self.suspects.pop(host)
    }

    /// Whoever answered is there no longer, and another was seen since.
    pub(super) fn vacate(&mut self, host: Host, to: Mac) {
        self.answered.pop(&host);
        self.told.pop(&host);
        self.sightings.put(host, to);
    }
}
