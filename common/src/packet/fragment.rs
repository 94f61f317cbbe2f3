//! Fragments of IP packets.

use super::{Packet, Refusal};

/// Which part of an IP packet this is.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Its first fragment, with the transport header.
    First,
    /// A later fragment, without.
    Later,
}

/// The longest packet that fragments may make up.
const LONGEST: usize = 65_535;

/// Notes which part of a packet this is: `offset` in units of eight bytes, `more` when others follow, and the
/// `length` of what is carried behind the headers, in bytes.
#[inline(always)]
pub(super) fn note(
    packet: &mut Packet,
    offset: u16,
    more: bool,
    length: usize,
) -> Result<(), Refusal> {
    packet.part = match (offset, more) {
        (0, false) => Part::Whole,
        (0, true) => Part::First,
        _ => Part::Later,
    };
    packet.fragment_offset = offset;
    // RFC 791 section 3.2, RFC 8200 section 4.5: all but the last are of whole units, and the sum of all is a
    // packet that can be ("ping of death").
    let uneven = more && length % 8 != 0;
    if uneven || usize::from(offset) * 8 + length > LONGEST {
        return Err(Refusal::Malformed);
    }
    Ok(())
}
