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

/// The longest packet that fragments may make up, as its length field tells.
const LONGEST: usize = 65_535;

/// Notes which part of a packet this is: `offset` in units of eight bytes, `more` when others follow, the `length` of
/// what is carried behind the headers, in bytes, and the bytes of `headers` that the length field of the whole packet
/// will count.
#[inline(always)]
pub(super) fn note(
    packet: &mut Packet,
    offset: u16,
    more: bool,
    headers: usize,
    length: usize,
) -> Result<(), Refusal> {
    packet.fragment_offset = offset;
    packet.part = match (offset, more) {
        (0, false) => Part::Whole,
        (0, true) => Part::First,
        _ => Part::Later,
    };
    // What segmentation offload leaves may be longer.
    if packet.part == Part::Whole {
        return Ok(());
    }
    // RFC 791 section 3.2, RFC 8200 section 4.5: all but the last are of whole units, and the sum of all is a
    // packet that can be ("ping of death").
    let uneven = more && !length.is_multiple_of(8);
    if uneven || headers + usize::from(offset) * 8 + length > LONGEST {
        return Err(Refusal::Malformed);
    }
    Ok(())
}
