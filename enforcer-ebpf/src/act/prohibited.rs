//! ICMP errors that quote the packet that they answer.

use enforcer_common::{
    checksum::Sum,
    host::{Address, Family},
    mac::Mac,
    packet::{Bytes, Packet},
    reply::{self, ICMP, Prohibited},
    settings::InterfaceRow,
};

use crate::{cursor::Cursor, frame::Frame};

/// An Ethernet header with two VLAN tags.
const LINK: usize = 22;

/// Turns a packet into the error that answers it, addressed back to its sender, from the gateway's own address where it
/// has one. Link header and VLAN tags stay.
#[inline(never)]
pub fn answer<F: Frame>(frame: &F, packet: &Packet, interface: &InterfaceRow) -> Option<()> {
    let cursor = frame.cursor();
    let whole = cursor.whole();
    let link = turned_around(&cursor)?;
    let error = Prohibited::answering(packet);
    let family = packet.source.family();
    let from = interface.own(family).unwrap_or(packet.destination);
    // The tail first: a frame in several pieces then lies in one.
    frame.cut(whole, packet.network + error.quoted)?;
    frame.grow(reply::network_length(family) + ICMP)?;
    write(&mut frame.cursor(), packet, &error, &link, &from)
}

#[inline(always)]
fn write(
    cursor: &mut Cursor,
    packet: &Packet,
    error: &Prohibited,
    link: &[u8; LINK],
    from: &Address,
) -> Option<()> {
    let (network, to) = (packet.network, &packet.source);
    let family = to.family();
    let icmp = network + reply::network_length(family);
    let quote = sum(cursor, icmp + ICMP, error.quoted)?;
    // Longer than the link header may be: what follows writes over the rest.
    *cursor.header_mut::<LINK>(0)? = *link;
    match family {
        Family::V4 => {
            let out = cursor.header_mut(network)?;
            reply::write_ipv4(out, from, to, error.protocol(), error.length());
        }
        Family::V6 => {
            let out = cursor.header_mut(network)?;
            reply::write_ipv6(out, from, to, error.protocol(), error.length());
        }
    }
    error.write(cursor.header_mut(icmp)?, from, to, quote);
    Some(())
}

/// The link header with its addresses swapped; none when the frame was for many (RFC 1812 section 4.3.2.7).
#[inline(always)]
fn turned_around(cursor: &Cursor) -> Option<[u8; LINK]> {
    let mut link = cursor.header::<LINK>(0)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = link;
    let both = [s0, s1, s2, s3, s4, s5, d0, d1, d2, d3, d4, d5];
    link[..12].copy_from_slice(&both);
    (!Mac::new([d0, d1, d2, d3, d4, d5]).is_group()).then_some(link)
}

/// Bytes that are summed at once: the verifier of Linux 6.1 walks through what follows anew for each turn of a loop.
const BLOCK: usize = 16;

/// The sum of `length` bytes, which are whole words.
#[inline(always)]
fn sum(cursor: &Cursor, start: usize, length: usize) -> Option<Sum> {
    let mut sum = Sum::default();
    for block in 0..Prohibited::LONGEST / BLOCK {
        if block >= length / BLOCK {
            break;
        }
        let bytes = cursor.header::<BLOCK>(start + block * BLOCK)?;
        for at in [0, 4, 8, 12] {
            sum = sum.add_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        }
    }
    let rest = start + length / BLOCK * BLOCK;
    for word in 0..BLOCK / 4 - 1 {
        if word * 4 >= length % BLOCK {
            break;
        }
        sum = sum.add_bytes(cursor.header::<4>(rest + word * 4)?);
    }
    Some(sum)
}
