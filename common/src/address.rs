//! Addresses of both families in one shape.

use core::{cmp::Ordering, fmt, net::IpAddr};

/// An IP address of either family, as two halves whose bytes are in network order; IPv4 is kept in its IPv6 form
/// `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). One shape for both, and no bytes left undefined, because in the kernel
/// programs both families meet in the same registers. Halves, because that is how headers are loaded: an address that
/// is written in one size and read in another makes the processor wait.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    halves: [u64; 2],
    family: Family,
}

/// The two families of IP.
#[repr(u8)]
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
    pub const fn v4([a, b, c, d]: [u8; 4]) -> Self {
        Self {
            halves: [0, u64::from_ne_bytes([0, 0, 0xff, 0xff, a, b, c, d])],
            family: Family::V4,
        }
    }

    /// An IPv6 address from its bytes in network order.
    #[inline(always)]
    pub const fn v6(b: [u8; 16]) -> Self {
        let halves = [
            u64::from_ne_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]),
            u64::from_ne_bytes([b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]),
        ];
        Self {
            halves,
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
        let [_, _, _, last] = self.words();
        last
    }

    /// Its four words, of four bytes each.
    #[inline(always)]
    #[expect(clippy::many_single_char_names, reason = "the sixteen bytes, in order")]
    pub const fn words(&self) -> [[u8; 4]; 4] {
        let [a, b, c, d, e, f, g, h] = self.halves[0].to_ne_bytes();
        let [i, j, k, l, m, n, o, p] = self.halves[1].to_ne_bytes();
        [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]]
    }

    /// Sixteen bytes for both families.
    #[inline(always)]
    #[expect(clippy::many_single_char_names, reason = "the sixteen bytes, in order")]
    pub const fn mapped(&self) -> [u8; 16] {
        let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = self.words();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Undoes [`mapped`](Self::mapped).
    #[inline(always)]
    pub const fn from_mapped(bytes: [u8; 16]) -> Self {
        Self::from_key(Self::v6(bytes).halves)
    }

    /// Its halves, as keys and rows of both families hold them.
    #[inline(always)]
    pub const fn key(&self) -> [u64; 2] {
        self.halves
    }

    /// Undoes [`key`](Self::key); IPv4 when it is mapped.
    #[inline(always)]
    pub const fn from_key(halves: [u64; 2]) -> Self {
        let mut address = Self {
            halves,
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

    /// Whether no host may send to this address: it means the sender itself, or nobody (RFC 1122 section
    /// 3.2.1.3, RFC 4291 sections 2.5.2 and 2.5.3).
    #[inline(always)]
    pub const fn is_nowhere(&self) -> bool {
        match self.family {
            Family::V4 => matches!(self.last_bytes()[0], 0 | 127),
            Family::V6 => self.is_lowest() || self.is_mapped(),
        }
    }

    /// Whether this is an IPv6 address that is never forwarded (`fe80::/10`, RFC 4291 section 2.5.6).
    #[inline(always)]
    pub const fn is_link_local(&self) -> bool {
        let [first, second, _, _] = self.words()[0];
        matches!(self.family, Family::V6) && first == 0xfe && second & 0xc0 == 0x80
    }

    /// Whether this is what a host sends from that has no address yet: 0.0.0.0 or `::`.
    #[inline(always)]
    pub const fn is_unspecified(&self) -> bool {
        match self.family {
            Family::V4 => matches!(self.last_bytes(), [0, 0, 0, 0]),
            Family::V6 => self.halves[0] == 0 && self.halves[1] == 0,
        }
    }

    /// Whether this is a destination of many: multicast, or the IPv4 limited broadcast.
    #[inline(always)]
    pub const fn is_multicast(&self) -> bool {
        match self.family {
            Family::V4 => matches!(self.last_bytes(), [224..=239, ..] | [255, 255, 255, 255]),
            Family::V6 => self.halves[0].to_ne_bytes()[0] == 0xff,
        }
    }

    /// Whether this is a multicast destination that no router forwards: 224.0.0.0/24, `ff02::/16`.
    #[inline(always)]
    pub const fn is_link_multicast(&self) -> bool {
        match self.family {
            Family::V4 => matches!(self.last_bytes(), [224, 0, 0, _]),
            Family::V6 => matches!(self.words()[0], [0xff, 0x02, _, _]),
        }
    }

    /// Whether an IPv6 packet carries this IPv4 address, which nothing on the wire may (RFC 4942
    /// section 2.2).
    #[inline(always)]
    pub const fn is_mapped(&self) -> bool {
        self.halves[0] == 0 && matches!(self.words()[2], [0, 0, 0xff, 0xff])
    }

    /// Whether this is the unspecified or the loopback address of IPv6, or an IPv4-compatible one.
    #[inline(always)]
    const fn is_lowest(&self) -> bool {
        self.halves[0] == 0 && matches!(self.words()[2], [0, 0, 0, 0])
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
}
