//! What the parser reads through.

/// Read access to a frame, from its Ethernet header on.
pub trait Bytes {
    /// The length of the whole frame in bytes.
    fn length(&self) -> usize;

    /// The `N` bytes at `offset`, or `None` when the frame does not hold them.
    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;

    /// The control information of a VLAN tag that the hardware took off the frame and keeps beside it.
    #[inline(always)]
    fn stripped_tag(&self) -> Option<u16> {
        None
    }
}

impl Bytes for [u8] {
    fn length(&self) -> usize {
        self.len()
    }

    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.get(offset..)?.first_chunk().copied()
    }
}

/// A frame whose outermost VLAN tag was taken off by the hardware.
pub struct Stripped<'a> {
    /// The control information of the tag: priority and VLAN.
    pub tag: u16,
    /// The frame without it.
    pub frame: &'a [u8],
}

impl Bytes for Stripped<'_> {
    fn length(&self) -> usize {
        self.frame.len()
    }

    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.frame.header(offset)
    }

    fn stripped_tag(&self) -> Option<u16> {
        Some(self.tag)
    }
}
