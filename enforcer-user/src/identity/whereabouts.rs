//! Where a host was seen, for people.

use enforcer_common::host::Host;

use super::{Identity, Mac, seen::Place};

/// How the gateway knows where a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It answered when the kernel asked.
    Answered,
    /// Somebody said so.
    Told,
    /// It sent a packet from there.
    Sent,
}

impl How {
    /// One word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Told => "told",
            Self::Sent => "sent",
        }
    }
}

/// Where a host was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The MAC address.
    pub mac: Mac,
    /// The interface, as the kernel numbers it, where it is known.
    pub interface: Option<u32>,
    /// How the gateway knows.
    pub how: How,
}

impl Identity {
    /// Where a host was seen, by the best that is known.
    pub fn whereabouts(&self, host: &Host) -> Option<Whereabouts> {
        let seen = [
            (self.seen.answered(host), How::Answered),
            (self.seen.told(host), How::Told),
            (self.seen.place(host), How::Sent),
        ];
        let mut known = seen
            .into_iter()
            .filter_map(|(place, how)| Some((place?, how)));
        let (Place { mac, interface }, how) = known.next()?;
        Some(Whereabouts {
            mac,
            interface,
            how,
        })
    }
}
