//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).

use crate::host::{Address, Family};

/// A sum of 16-bit words in network order, not yet folded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u32);

impl Sum {
    /// Adds four bytes.
    #[inline(always)]
    #[must_use]
    pub fn add_bytes(self, [a, b, c, d]: [u8; 4]) -> Self {
        self.add_word(u16::from_be_bytes([a, b]))
            .add_word(u16::from_be_bytes([c, d]))
    }

    /// Adds what an address is in a pseudo header.
    #[inline(always)]
    #[must_use]
    pub fn add_address(self, address: &Address) -> Self {
        match address.family() {
            Family::V4 => self.add_bytes(address.last_bytes()),
            Family::V6 => {
                let [w0, w1, w2, w3] = address.words();
                self.add_bytes(w0).add_bytes(w1).add_bytes(w2).add_bytes(w3)
            }
        }
    }

    /// Adds two words.
    #[inline(always)]
    #[must_use]
    pub fn add_double(self, double: u32) -> Self {
        self.add_bytes(double.to_be_bytes())
    }

    /// Adds one word.
    #[inline(always)]
    #[must_use]
    pub fn add_word(self, word: u16) -> Self {
        Self(self.0 + u32::from(word))
    }

    /// The folded sum itself: what a checksum field holds that hardware is still to complete
    /// (`CHECKSUM_PARTIAL`, include/linux/skbuff.h of the kernel).
    #[inline(always)]
    pub fn partial(self) -> u16 {
        fold(self.0)
    }

    /// The checksum: the complement of the folded sum.
    #[inline(always)]
    pub fn finish(self) -> u16 {
        !fold(self.0)
    }
}

/// The checksum after a word became another (RFC 1624, equation 3).
#[inline(always)]
pub fn replaced_word(checksum: u16, old: u16, new: u16) -> u16 {
    Sum::default()
        .add_word(!checksum)
        .add_word(!old)
        .add_word(new)
        .finish()
}

/// The checksum after an address became another of its family.
#[inline(always)]
pub fn replaced_address(checksum: u16, old: &Address, new: &Address) -> u16 {
    let sum = Sum::default().add_word(!checksum).add_address(new);
    // Taking away is adding the complement.
    let taken = Sum::default().add_address(old).finish();
    sum.add_word(taken).finish()
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "two folds leave 16 bits")]
fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let sum = Sum::default()
            .add_bytes([0x00, 0x01, 0xf2, 0x03])
            .add_bytes([0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.finish(), !0xddf2);
    }

    /// 0 and 0xffff are the same number in one's complement.
    fn same(a: u16, b: u16) -> bool {
        a == b || (a.wrapping_add(1) <= 1 && b.wrapping_add(1) <= 1)
    }

    proptest! {
        #[test]
        fn an_update_equals_a_new_sum(rest: u32, old: [u8; 16], new: [u8; 16], ports: (u16, u16)) {
            for (old, new) in [
                (Address::v6(old), Address::v6(new)),
                (Address::v4([old[0], old[1], 1, 2]), Address::v4([new[0], new[1], 3, 4])),
            ] {
                let sum = |address, port| {
                    Sum::default().add_double(rest).add_address(address).add_word(port).finish()
                };
                let updated = replaced_address(sum(&old, ports.0), &old, &new);
                let updated = replaced_word(updated, ports.0, ports.1);
                prop_assert!(same(updated, sum(&new, ports.1)));
            }
        }
    }
}
