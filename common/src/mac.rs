//! MAC addresses.

use core::fmt;

/// A MAC address in the lower 48 bits of one word, so that two are compared in one step. The first byte
/// on the wire is the lowest; zero stands for none.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(u64);

impl Mac {
    /// No address.
    pub const NONE: Self = Self(0);

    /// The address with these bytes, in the order of the wire.
    #[inline(always)]
    #[expect(clippy::many_single_char_names, reason = "the six bytes, in order")]
    pub const fn new([a, b, c, d, e, f]: [u8; 6]) -> Self {
        Self(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// Its bytes, in the order of the wire.
    #[inline(always)]
    #[expect(clippy::many_single_char_names, reason = "the six bytes, in order")]
    pub const fn bytes(self) -> [u8; 6] {
        let [a, b, c, d, e, f, _, _] = self.0.to_le_bytes();
        [a, b, c, d, e, f]
    }

    /// Whether this stands for no address.
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether frames to it are for many: the lowest bit of the first byte (IEEE 802-2014 section 8.2.2).
    #[inline(always)]
    pub const fn is_group(self) -> bool {
        self.0 & 1 != 0
    }

    /// The word, with upper bits that are zero.
    #[inline(always)]
    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// The address in the lower 48 bits of a word.
    #[inline(always)]
    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word & 0xffff_ffff_ffff)
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Mac {
    #[expect(clippy::many_single_char_names, reason = "the six bytes, in order")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.bytes();
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
