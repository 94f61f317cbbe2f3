//! Hosts: who a packet belongs to, and what the tables hold of them.

use core::{cmp::Ordering, fmt, net::IpAddr};

use bytemuck::{Pod, Zeroable};

use crate::{limits, role::RoleId};

/// A deadline that never comes.
pub const FOREVER: u64 = u64::MAX;

/// An IP address of either family, as four words in network order; IPv4 is kept in its IPv6 form
/// `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). One shape for both, and no bytes left undefined,
/// because in the kernel programs both families meet in the same registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    words: [u32; 4],
    family: Family,
}

/// The two families of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Address {
    /// An IPv4 address from its bytes in network order.
    #[inline(always)]
    pub const fn v4(bytes: [u8; 4]) -> Self {
        let words = [0, 0, 0xffff_u32.to_be(), u32::from_ne_bytes(bytes)];
        Self {
            words,
            family: Family::V4,
        }
    }

    /// An IPv6 address from its bytes in network order.
    #[inline(always)]
    pub const fn v6(b: [u8; 16]) -> Self {
        let words = [
            u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
            u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
            u32::from_ne_bytes([b[8], b[9], b[10], b[11]]),
            u32::from_ne_bytes([b[12], b[13], b[14], b[15]]),
        ];
        Self {
            words,
            family: Family::V6,
        }
    }

    /// Its family.
    #[inline(always)]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The bytes of an IPv4 address; of an IPv6 address its last four.
    #[inline(always)]
    pub const fn last_bytes(&self) -> [u8; 4] {
        self.words[3].to_ne_bytes()
    }

    /// Its four words, of four bytes each.
    #[inline(always)]
    pub const fn words(&self) -> [[u8; 4]; 4] {
        let [w0, w1, w2, w3] = self.words;
        [
            w0.to_ne_bytes(),
            w1.to_ne_bytes(),
            w2.to_ne_bytes(),
            w3.to_ne_bytes(),
        ]
    }

    /// Sixteen bytes for both families.
    #[inline(always)]
    pub const fn mapped(&self) -> [u8; 16] {
        let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = self.words();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Undoes [`mapped`](Self::mapped).
    #[inline(always)]
    pub const fn from_mapped(bytes: [u8; 16]) -> Self {
        Self::from_words(Self::v6(bytes).words)
    }

    /// The address with these words, of network order; IPv4 when it is mapped.
    #[inline(always)]
    const fn from_words(words: [u32; 4]) -> Self {
        let mut address = Self {
            words,
            family: Family::V6,
        };
        if address.is_mapped() {
            address.family = Family::V4;
        }
        address
    }

    /// Whether no host may send from this address: loopback, multicast, broadcast, "this network"
    /// (RFC 1122 section 3.2.1.3, RFC 4291 section 2.7), and IPv4 addresses written as IPv6.
    #[inline(always)]
    pub const fn is_martian(&self) -> bool {
        match self.family {
            Family::V4 => matches!(self.last_bytes()[0], 0 | 127 | 224..),
            Family::V6 => self.is_multicast() || self.is_mapped() || self.is_lowest(),
        }
    }

    /// Whether this is a destination of many: multicast, or the IPv4 limited broadcast.
    #[inline(always)]
    pub const fn is_multicast(&self) -> bool {
        match self.family {
            Family::V4 => matches!(self.last_bytes()[0], 224..=239) || self.words[3] == u32::MAX,
            Family::V6 => self.words[0].to_ne_bytes()[0] == 0xff,
        }
    }

    /// Whether this is a multicast destination that no router forwards: 224.0.0.0/24, `ff02::/16`.
    #[inline(always)]
    pub const fn is_link_multicast(&self) -> bool {
        match self.family {
            Family::V4 => matches!(self.last_bytes(), [224, 0, 0, _]),
            Family::V6 => matches!(self.words[0].to_ne_bytes(), [0xff, 0x02, _, _]),
        }
    }

    /// Whether an IPv6 packet carries this IPv4 address, which nothing on the wire may (RFC 4942
    /// section 2.2).
    #[inline(always)]
    pub const fn is_mapped(&self) -> bool {
        self.words[0] == 0 && self.words[1] == 0 && self.words[2] == 0xffff_u32.to_be()
    }

    /// Whether this is the unspecified or the loopback address of IPv6, or an IPv4-compatible one.
    #[inline(always)]
    const fn is_lowest(&self) -> bool {
        self.words[0] == 0 && self.words[1] == 0 && self.words[2] == 0
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.family, self.words()).cmp(&(other.family, other.words()))
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<IpAddr> for Address {
    /// An IPv4 address written as IPv6 is the IPv4 address.
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::v4(ip.octets()),
            IpAddr::V6(ip) => Self::v6(ip.octets()),
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match address.family {
            Family::V4 => Self::V4(address.last_bytes().into()),
            Family::V6 => Self::V6(address.mapped().into()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
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
        let [w0, w1, w2, w3] = self.address.words.map(u32::from_be);
        let word = match self.address.family {
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
            address: self.address.words[3],
        }
    }

    /// The key of tables that hold both families.
    #[inline(always)]
    pub fn key(&self) -> HostKey {
        HostKey {
            zone: self.zone,
            address: self.address.words,
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

/// Key of `HOSTS_V6`, and with mapped addresses of every table that holds both families.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct HostKey {
    /// The zone.
    pub zone: u32,
    /// The mapped address, in words of network order: bytes would be written and compared one by one.
    pub address: [u32; 4],
}

impl From<HostKey> for Host {
    fn from(key: HostKey) -> Self {
        Self {
            zone: key.zone,
            address: Address::from_words(key.address),
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
        for address in [Address::v4([192, 0, 2, 1]), Address::v6([0x20; 16])] {
            assert_eq!(Address::from_mapped(address.mapped()), address);
        }
    }

    #[test]
    fn martians() {
        let v6 = |first: u8, last: u8| {
            let mut bytes = [0; 16];
            (bytes[0], bytes[15]) = (first, last);
            Address::v6(bytes)
        };
        let bad = [
            Address::v4([0, 0, 0, 0]),
            Address::v4([127, 0, 0, 1]),
            Address::v4([224, 0, 0, 1]),
            Address::v4([255; 4]),
            v6(0, 0),
            v6(0, 1),
            v6(0xff, 1),
            Address::v6(Address::v4([192, 0, 2, 1]).mapped()),
        ];
        for address in bad {
            assert!(address.is_martian(), "{address:?}");
        }
        for address in [Address::v4([192, 0, 2, 1]), v6(0x20, 1), v6(0xfe, 1)] {
            assert!(!address.is_martian(), "{address:?}");
        }
    }

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
