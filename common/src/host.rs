//! Hosts: who a packet belongs to, and what the tables hold of them.

use core::fmt;

use bytemuck::{Pod, Zeroable};

pub use crate::address::{Address, Family};
use crate::{decide::Basis, limits, mac::Mac, role::RoleId};

/// A deadline that never comes.
pub const FOREVER: u64 = u64::MAX;

/// An endpoint on the network: an address in a zone.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host {
    /// The zone in which the address is unique.
    pub zone: u32,
    /// The address.
    pub address: Address,
}

impl Host {
    /// A well-mixed number of this host. Its upper bits choose the cache slot, its lower ones the
    /// bucket of generations.
    #[inline(always)]
    pub fn hash(&self) -> u32 {
        // Multiplication by 2^32 divided by the golden ratio spreads neighbours evenly (Knuth, The
        // Art of Computer Programming, volume 3, section 6.4).
        const GOLDEN: u32 = 0x9e37_79b1;
        let seed = self.zone.wrapping_mul(0x85eb_ca6b);
        let [w0, w1, w2, w3] = self.address.words().map(u32::from_be_bytes);
        let word = match self.address.family() {
            Family::V4 => w3,
            Family::V6 => {
                let high = w0 ^ w1.rotate_left(7);
                high.wrapping_mul(GOLDEN).rotate_left(15) ^ w2.rotate_left(13) ^ w3
            }
        };
        (word ^ seed).wrapping_mul(GOLDEN)
    }

    /// The bucket of generations that this host belongs to.
    #[inline(always)]
    pub fn bucket(&self) -> u32 {
        self.hash() & (limits::GENERATIONS - 1)
    }

    /// The slot of the verdict cache that this host may occupy.
    #[inline(always)]
    pub fn slot(&self) -> u32 {
        self.hash() >> (u32::BITS - limits::VERDICT_SLOTS.trailing_zeros())
    }

    /// The key of `HOSTS_V4`, for an IPv4 host.
    #[inline(always)]
    pub const fn key_v4(&self) -> HostKeyV4 {
        HostKeyV4 {
            zone: self.zone,
            address: u32::from_ne_bytes(self.address.last_bytes()),
        }
    }

    /// The key of tables that hold both families.
    #[inline(always)]
    pub fn key(&self) -> HostKey {
        HostKey {
            address: self.address.key(),
            zone: self.zone,
            pad: 0,
        }
    }
}

/// Key of `HOSTS_V4`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct HostKeyV4 {
    /// The zone.
    pub zone: u32,
    /// The address, in network order.
    pub address: u32,
}

/// Key of `HOSTS_V6`, and with mapped addresses of every table that holds both families. In halves of network order: bytes
/// would be written and compared one by one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct HostKey {
    /// The mapped address.
    pub address: [u64; 2],
    /// The zone.
    pub zone: u32,
    /// Zero.
    pub pad: u32,
}

impl From<HostKey> for Host {
    fn from(key: HostKey) -> Self {
        Self {
            zone: key.zone,
            address: Address::from_key(key.address),
        }
    }
}

impl From<HostKeyV4> for Host {
    fn from(key: HostKeyV4) -> Self {
        Self {
            zone: key.zone,
            address: Address::v4(key.address.to_ne_bytes()),
        }
    }
}

/// A number for a source of decisions.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
pub struct SourceId(pub u8);

impl SourceId {
    /// The gateway itself: what its configuration says, without a lease.
    pub const GATEWAY: Self = Self(0);
    /// The operator's exceptions, which carry their own end.
    pub const OPERATOR: Self = Self(1);
    /// The management server.
    pub const MANAGEMENT: Self = Self(2);
    /// The first of those that the configuration names, in its order.
    pub const FIRST_NAMED: Self = Self(3);
}

/// Value of `HOSTS_V4` and `HOSTS_V6`: what is decided of a host.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct HostRow {
    /// When this decision ends by itself, in jiffies; [`FOREVER`] if never.
    pub deadline: u64,
    /// The MAC address that the host must send from; zeros when it is not bound.
    pub mac: [u8; 6],
    /// The role.
    pub role: RoleId,
    /// Whose decision it is.
    pub origin: Origin,
}

/// Whose decision a row holds: with the lease of that source it ends too. And whether the host has only just lost a
/// role that let it pass, so that its open flows are being closed at both ends.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct Origin(u8);

impl Origin {
    const CLOSING: u8 = 0x80;

    /// A decision of this source.
    pub const fn of(source: SourceId) -> Self {
        Self(source.0 & !Self::CLOSING)
    }

    /// The same, and the host's flows are being closed.
    #[must_use]
    pub const fn closing(self) -> Self {
        Self(self.0 | Self::CLOSING)
    }

    /// The source.
    #[inline(always)]
    pub const fn source(self) -> SourceId {
        SourceId(self.0 & !Self::CLOSING)
    }

    /// Whether the host's flows are being closed.
    #[inline(always)]
    pub const fn is_closing(self) -> bool {
        self.0 & Self::CLOSING != 0
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closing = if self.is_closing() { ", closing" } else { "" };
        write!(f, "{:?}{closing}", self.source())
    }
}

/// Value of `ASKED`: an unknown host that was asked about.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Asked {
    /// When its first packet came, in jiffies.
    pub since: u64,
    /// When it was last asked about, in jiffies.
    pub last: u64,
}

/// Value of `BLOCKED`: what was stopped of a host.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Blocked {
    /// Packets stopped.
    pub packets: u64,
    /// Bytes of them, with link headers.
    pub bytes: u64,
    /// When the first was stopped, in jiffies.
    pub first: u64,
    /// When the last was stopped, in jiffies.
    pub last: u64,
    /// When the last event was made, in jiffies.
    pub reported: u64,
    /// Packets stopped when it was made.
    pub reported_packets: u64,
    /// [`Reason`](crate::decide::Reason) of the last stop.
    pub reason: u8,
    /// Role at the last stop.
    pub role: RoleId,
    /// 1 when the packets were only counted: monitor mode.
    pub would: u8,
    /// Zeros.
    pub pad: [u8; 5],
}

/// Key of `TOLD`: a flow of a host.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct FlowKey {
    /// The host.
    pub host: HostKey,
    /// The other side, as a mapped address.
    pub remote: [u64; 2],
    /// The host's port.
    pub host_port: u16,
    /// The other side's port.
    pub remote_port: u16,
    /// Zero.
    pub pad: u32,
}

/// Slot of the verdict cache for IPv4: half of a cache line.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct VerdictSlotV4 {
    /// Whose slot this is now.
    pub host: HostKeyV4,
    /// Until when it holds, in jiffies.
    pub until: u64,
    /// What was found.
    pub standing: StandingBits,
    /// The generation of the host's bucket, read before the tables were.
    pub generation: u32,
    /// Zeros.
    pub pad: u32,
}

/// Slot of the verdict cache for IPv6.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct VerdictSlotV6 {
    /// Whose slot this is now.
    pub host: HostKey,
    /// Until when it holds, in jiffies.
    pub until: u64,
    /// What was found.
    pub standing: StandingBits,
    /// The generation of the host's bucket, read before the tables were.
    pub generation: u32,
    /// Zeros.
    pub pad: u32,
}

/// A [`Standing`](crate::decide::Standing) but for its end, in one word: MAC address, role, and how it came by it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct StandingBits(u64);

impl StandingBits {
    const ROLE: u32 = 48;
    const BASIS: u32 = 56;
    const CLOSING: u64 = 1 << 63;

    /// Packs it.
    #[inline(always)]
    pub fn new(mac: Mac, role: RoleId, basis: Basis, closing: bool) -> Self {
        let closing = if closing { Self::CLOSING } else { 0 };
        let basis = (basis as u64) << Self::BASIS;
        Self(mac.word() | u64::from(role.0) << Self::ROLE | basis | closing)
    }

    /// The MAC address that the host must send from.
    #[inline(always)]
    pub const fn mac(self) -> Mac {
        Mac::from_word(self.0)
    }

    /// The role.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "one byte of the word")]
    pub const fn role(self) -> RoleId {
        RoleId((self.0 >> Self::ROLE) as u8)
    }

    /// How it came by the role.
    #[inline(always)]
    pub const fn basis(self) -> Basis {
        Basis::from_number((self.0 >> Self::BASIS) as u8 & 0x7f)
    }

    /// Whether its flows are being closed.
    #[inline(always)]
    pub const fn is_closing(self) -> bool {
        self.0 & Self::CLOSING != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_share_slots_or_buckets() {
        let hosts = |n: u8| Host {
            zone: 0,
            address: Address::v4([10, 0, 0, n]),
        };
        let slots: std::collections::HashSet<_> = (0..=255).map(|n| hosts(n).slot()).collect();
        let buckets: std::collections::HashSet<_> = (0..=255).map(|n| hosts(n).bucket()).collect();
        assert_eq!((slots.len(), buckets.len()), (256, 256));
    }
}
