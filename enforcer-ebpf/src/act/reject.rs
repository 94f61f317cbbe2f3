//! Rejecting: the sender is told, by a reset made out of its own packet.

use aya_ebpf::programs::XdpContext;
use enforcer_common::{
    decide::Verdict,
    host::Family,
    packet::Packet,
    reply::{self, IPV4, IPV6, Reset, TCP},
};

use crate::cursor::Cursor;

/// Turns a TCP segment into the reset that answers it, addressed back to its sender. Link header and
/// VLAN tags stay.
#[inline(never)]
pub fn reset(context: &XdpContext, packet: &Packet) -> Verdict {
    let mut cursor = Cursor::xdp(context);
    let Some(reset) = Reset::answering(&cursor, packet) else {
        return Verdict::Drop;
    };
    let length = match write(&mut cursor, packet, &reset) {
        Some(length) if turn_around(&mut cursor).is_some() => length,
        _ => return Verdict::Drop,
    };
    let surplus = cursor.whole().wrapping_sub(packet.network + length);
    if cursor.cut(context, surplus).is_some() {
        Verdict::Reject
    } else {
        Verdict::Drop
    }
}

/// Writes the network and transport headers over those of the packet, and says how long they are.
#[inline(always)]
fn write(cursor: &mut Cursor, packet: &Packet, reset: &Reset) -> Option<usize> {
    let (from, to) = (&packet.destination, &packet.source);
    let network = match from.family() {
        Family::V4 => {
            reply::write_ipv4(cursor.header_mut(packet.network)?, from, to);
            IPV4
        }
        Family::V6 => {
            reply::write_ipv6(cursor.header_mut(packet.network)?, from, to);
            IPV6
        }
    };
    reset.write(cursor.header_mut(packet.network + network)?, from, to);
    Some(network + TCP)
}

/// Swaps the MAC addresses.
#[inline(always)]
fn turn_around(cursor: &mut Cursor) -> Option<()> {
    let ethernet = cursor.header_mut::<12>(0)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *ethernet;
    *ethernet = [s0, s1, s2, s3, s4, s5, d0, d1, d2, d3, d4, d5];
    Some(())
}
