//! Rows as aya takes them.

use bytemuck::Pod;

/// A row of a map: any type without padding and without invalid values.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Plain<T>(pub T);

// SAFETY: aya asks for types that are copied byte by byte in both directions; `bytemuck::Pod`
// promises that every bit pattern is valid and that there is no padding.
unsafe impl<T: Pod> aya::Pod for Plain<T> {}
