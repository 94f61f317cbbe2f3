//! What the parser reads through.

/// Read access to a frame, from its Ethernet header on.
pub trait Bytes {
    /// The length of the whole frame in bytes.
    fn length(&self) -> usize;

    /// The `N` bytes at `offset`, or `None` when the frame does not hold them.
    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;
}

impl Bytes for [u8] {
    fn length(&self) -> usize {
        self.len()
    }

    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.get(offset..)?.first_chunk().copied()
    }
}
