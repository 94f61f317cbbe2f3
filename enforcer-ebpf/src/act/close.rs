//! The end of a flow, told to its far end.

use enforcer_common::{
    decide::{Direction, flow},
    reply::Reset,
    seen::Seen,
};

use super::reset;
use crate::{frame::Frame, maps};

/// Turns a segment into a reset that takes its way.
#[inline(never)]
pub fn instead<F: Frame>(frame: &F, seen: &Seen) -> Option<()> {
    let packet = &seen.packet;
    let mut cursor = frame.cursor();
    let reset = Reset::instead_of(&cursor, packet)?;
    let checksum = reset::checksum::<F>(&cursor, packet, true)?;
    let whole = cursor.whole();
    let ends = (&packet.source, &packet.destination);
    let length = reset::write(&mut cursor, packet, &reset, ends, checksum)?;
    reset::shorten(frame, packet, whole, packet.network + length)?;
    let flow = flow(&seen.host, packet, Direction::FromHost)?;
    maps::TOLD.insert(flow, 1, 0).ok()
}
