//! Fragments of IP packets.

/// What an IP header says of fragmentation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fragment {
    /// The whole packet, or its first fragment.
    First,
    /// A later fragment, at this offset in units of eight bytes.
    Later(u16),
}

impl Fragment {
    #[inline(always)]
    pub(super) fn at(offset: u16) -> Self {
        if offset == 0 {
            Self::First
        } else {
            Self::Later(offset)
        }
    }
}
