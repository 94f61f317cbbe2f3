//! TCP resets, made out of the segments that they answer.

use enforcer_common::{
    host::{Address, Family},
    mac::Mac,
    packet::{Packet, protocol},
    reply::{self, Checksum, Reset, TCP, checksum_of},
};

use crate::{cursor::Cursor, frame::Frame};

/// Turns a segment into the reset that answers it, addressed back to its sender. Link header and VLAN tags stay. What
/// leaves past the kernel's own stack (`through_stack` false, at XDP) has a whole checksum.
#[inline(never)]
pub fn answer<F: Frame>(frame: &F, packet: &Packet, through_stack: bool) -> Option<()> {
    let mut cursor = frame.cursor();
    let reset = Reset::answering(&cursor, packet)?;
    let checksum = checksum::<F>(&cursor, packet, through_stack)?;
    let whole = cursor.whole();
    turn_around(&mut cursor)?;
    let length = write(
        &mut cursor,
        packet,
        &reset,
        (&packet.destination, &packet.source),
        checksum,
    )?;
    shorten(frame, packet, whole, packet.network + length)
}

/// What the checksum of the reset must be: whole, unless the packet goes on as the kernel knows it, with a checksum that
/// is still to be completed where the old one was.
#[inline(always)]
pub fn checksum<F: Frame>(
    cursor: &Cursor,
    packet: &Packet,
    through_stack: bool,
) -> Option<Checksum> {
    use enforcer_common::counter::Hook;
    if matches!(F::HOOK, Hook::Xdp) && !through_stack {
        return Some(Checksum::Whole);
    }
    let checksum = checksum_of(cursor, packet)?;
    let stays = packet.network + reply::network_length(packet.source.family()) == packet.transport;
    (checksum == Checksum::Whole || stays).then_some(checksum)
}

/// Writes the network and transport headers over those of the packet, and says how long they are.
#[inline(always)]
pub fn write(
    cursor: &mut Cursor,
    packet: &Packet,
    reset: &Reset,
    (from, to): (&Address, &Address),
    checksum: Checksum,
) -> Option<usize> {
    match from.family() {
        Family::V4 => reply::write_ipv4(
            cursor.header_mut(packet.network)?,
            from,
            to,
            protocol::TCP,
            TCP,
        ),
        Family::V6 => reply::write_ipv6(
            cursor.header_mut(packet.network)?,
            from,
            to,
            protocol::TCP,
            TCP,
        ),
    }
    let network = reply::network_length(from.family());
    reset.write(
        cursor.header_mut(packet.network + network)?,
        from,
        to,
        checksum,
    );
    Some(network + TCP)
}

/// Swaps the MAC addresses; `None` when the frame was for many, from which no frame can come (RFC 9293 section 3.9.2.3).
#[inline(always)]
fn turn_around(cursor: &mut Cursor) -> Option<()> {
    let ethernet = cursor.header_mut::<12>(0)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *ethernet;
    if Mac::new([d0, d1, d2, d3, d4, d5]).is_group() {
        return None;
    }
    *ethernet = [s0, s1, s2, s3, s4, s5, d0, d1, d2, d3, d4, d5];
    Some(())
}

/// Cuts a frame to what the reset needs. The kernel keeps at TC what lies in front of the transport header that it
/// knows of (`__bpf_skb_min_len` in net/core/filter.c): then the rest of the old headers stays behind as padding.
#[inline(always)]
pub fn shorten<F: Frame>(frame: &F, packet: &Packet, whole: usize, length: usize) -> Option<()> {
    let cut = frame.cut(whole, length);
    if cut.is_some() || packet.transport <= length {
        return cut;
    }
    frame.cut(whole, packet.transport)
}
