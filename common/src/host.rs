//! Hosts: who a packet belongs to, and what the tables hold of them.

use core::net::IpAddr;

use bytemuck::{Pod, Zeroable};

use crate::{limits, role::RoleId};

/// A deadline that never comes.
pub const FOREVER: u64 = u64::MAX;

/// An IP address in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

impl Address {
    /// Sixteen bytes for both families: IPv4 as `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2).
    #[inline(always)]
    pub fn mapped(&self) -> [u8; 16] {
        match *self {
            Self::V4([a, b, c, d]) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d],
            Self::V6(bytes) => bytes,
        }
    }

    /// Undoes [`mapped`](Self::mapped).
    pub fn from_mapped(bytes: [u8; 16]) -> Self {
        match bytes {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] => Self::V4([a, b, c, d]),
            _ => Self::V6(bytes),
        }
    }

    /// Whether no host may send from this address: loopback, multicast, broadcast, "this network"
    /// (RFC 1122 section 3.2.1.3, RFC 4291 section 2.7), and IPv4 addresses written as IPv6.
    #[inline(always)]
    pub fn is_martian(&self) -> bool {
        match self {
            Self::V4(bytes) => matches!(bytes[0], 0 | 127 | 224..),
            Self::V6(bytes) => bytes[0] == 0xff || (bytes[..8] == [0; 8] && bytes[8..10] == [0, 0]),
        }
    }

    /// Whether this is a destination of many: multicast, or the IPv4 limited broadcast.
    #[inline(always)]
    pub fn is_multicast(&self) -> bool {
        match self {
            Self::V4(bytes) => matches!(bytes[0], 224..=239) || *bytes == [255; 4],
            Self::V6(bytes) => bytes[0] == 0xff,
        }
    }

    /// Whether this is a multicast destination that no router forwards: 224.0.0.0/24, ff02::/16.
    #[inline(always)]
    pub fn is_link_multicast(&self) -> bool {
        match self {
            Self::V4(bytes) => bytes[..3] == [224, 0, 0],
            Self::V6(bytes) => bytes[..2] == [0xff, 0x02],
        }
    }

    /// Whether this is the address that stands for none.
    #[inline(always)]
    pub fn is_unspecified(&self) -> bool {
        match self {
            Self::V4(bytes) => *bytes == [0; 4],
            Self::V6(bytes) => *bytes == [0; 16],
        }
    }
}

impl From<IpAddr> for Address {
    /// An IPv4 address written as IPv6 is the IPv4 address.
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::V6(address.octets()),
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match address {
            Address::V4(bytes) => Self::from(bytes),
            Address::V6(bytes) => Self::from(bytes),
        }
    }
}

/// An endpoint on the network: an address in a zone.
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
        let word = match self.address {
            Address::V4(bytes) => u32::from_be_bytes(bytes),
            Address::V6(b) => {
                let high = u32::from_be_bytes([b[0], b[1], b[2], b[3]])
                    ^ u32::from_be_bytes([b[4], b[5], b[6], b[7]]).rotate_left(7);
                let low = u32::from_be_bytes([b[8], b[9], b[10], b[11]]).rotate_left(13)
                    ^ u32::from_be_bytes([b[12], b[13], b[14], b[15]]);
                high.wrapping_mul(GOLDEN).rotate_left(15) ^ low
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

    /// The key of tables that hold both families.
    #[inline(always)]
    pub fn key(&self) -> HostKey {
        HostKey {
            zone: self.zone,
            address: self.address.mapped(),
        }
    }
}

/// Key of `HOSTS_V4`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct HostKeyV4 {
    /// The zone.
    pub zone: u32,
    /// The address.
    pub address: [u8; 4],
}

/// Key of `HOSTS_V6`, and with mapped addresses of every table that holds both families.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct HostKey {
    /// The zone.
    pub zone: u32,
    /// The address.
    pub address: [u8; 16],
}

impl From<HostKey> for Host {
    fn from(key: HostKey) -> Self {
        Self {
            zone: key.zone,
            address: Address::from_mapped(key.address),
        }
    }
}

impl From<HostKeyV4> for Host {
    fn from(key: HostKeyV4) -> Self {
        Self {
            zone: key.zone,
            address: Address::V4(key.address),
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
    /// Whose decision it is: with the lease of that source it ends too.
    pub source: SourceId,
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

/// Slot of the verdict cache for IPv4.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct VerdictSlotV4 {
    /// Whose slot this is now.
    pub host: HostKeyV4,
    /// The generation of the host's bucket, read before the tables were.
    pub generation: u32,
    /// What was found.
    pub standing: StandingBits,
    /// Until when it holds, in jiffies.
    pub until: u64,
}

/// Slot of the verdict cache for IPv6.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct VerdictSlotV6 {
    /// Whose slot this is now.
    pub host: HostKey,
    /// The generation of the host's bucket, read before the tables were.
    pub generation: u32,
    /// What was found.
    pub standing: StandingBits,
    /// Zeros.
    pub pad: u32,
    /// Until when it holds, in jiffies.
    pub until: u64,
}

/// A [`Standing`](crate::decide::Standing) in the form that a slot stores.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct StandingBits {
    /// The role.
    pub role: RoleId,
    /// The [`Basis`](crate::decide::Basis).
    pub basis: u8,
    /// Zeros.
    pub pad: [u8; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_and_back() {
        for address in [Address::V4([192, 0, 2, 1]), Address::V6([0x20; 16])] {
            assert_eq!(Address::from_mapped(address.mapped()), address);
        }
    }

    #[test]
    fn martians() {
        let v6 = |first: u8, last: u8| {
            let mut bytes = [0; 16];
            (bytes[0], bytes[15]) = (first, last);
            Address::V6(bytes)
        };
        let bad = [
            Address::V4([0, 0, 0, 0]),
            Address::V4([127, 0, 0, 1]),
            Address::V4([224, 0, 0, 1]),
            Address::V4([255; 4]),
            v6(0, 0),
            v6(0, 1),
            v6(0xff, 1),
            Address::V6(Address::V4([192, 0, 2, 1]).mapped()),
        ];
        for address in bad {
            assert!(address.is_martian(), "{address:?}");
        }
        for address in [Address::V4([192, 0, 2, 1]), v6(0x20, 1), v6(0xfe, 1)] {
            assert!(!address.is_martian(), "{address:?}");
        }
    }

    #[test]
    fn neighbours_do_not_share_slots_or_buckets() {
        let hosts = |n: u8| Host {
            zone: 0,
            address: Address::V4([10, 0, 0, n]),
        };
        let slots: std::collections::HashSet<_> = (0..=255).map(|n| hosts(n).slot()).collect();
        let buckets: std::collections::HashSet<_> = (0..=255).map(|n| hosts(n).bucket()).collect();
        assert_eq!((slots.len(), buckets.len()), (256, 256));
    }
}
