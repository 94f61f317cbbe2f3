//! IPv6 and its chain of extension headers.

use super::{Bytes, Kind, Packet, Part, Refusal, end_of, fragment, protocol, transport};
use crate::{host::Address, limits};

const IPV6: usize = 40;

/// RFC 8200 sections 3 and 4, with RFC 7112: the whole chain stands in the first fragment.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    let network = packet.network;
    let ip = bytes.header::<IPV6>(network).ok_or(Refusal::Malformed)?;
    if ip[0] >> 4 != 6 {
        return Err(Refusal::Malformed);
    }
    let length = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
    let start = network + IPV6;
    let end = end_of(bytes, start, length)?;
    let (mut source, mut destination) = ([0; 16], [0; 16]);
    source.copy_from_slice(&ip[8..24]);
    destination.copy_from_slice(&ip[24..40]);
    packet.source = Address::v6(source);
    packet.destination = Address::v6(destination);
    packet.end = end;
    packet.hop_limit = ip[7];
    packet.part = Part::Whole;
    packet.fragment_offset = 0;
    packet.goes_on = false;
    packet.transport = start;
    packet.protocol = ip[6];
    if is_extension(packet) {
        return Ok(Kind::Chain);
    }
    transport::read(bytes, packet)
}

/// Walks the extension headers of a packet of which [`Kind::Chain`] was said.
#[inline(always)]
pub fn parse_chain<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    for _ in 0..limits::EXTENSION_HEADERS {
        if !is_extension(packet) {
            break;
        }
        step(bytes, packet)?;
    }
    if is_extension(packet) {
        return Err(Refusal::TooDeep);
    }
    transport::read(bytes, packet)
}

/// Whether another header is to be skipped. Behind a later fragment's header nothing can be read.
#[inline(always)]
fn is_extension(packet: &Packet) -> bool {
    use protocol::{AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, MOBILITY, ROUTING};
    packet.part != Part::Later
        && matches!(
            packet.protocol,
            HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY
        )
}

/// Skips one header.
#[inline(always)]
fn step<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<(), Refusal> {
    let header = bytes
        .header::<8>(packet.transport)
        .ok_or(Refusal::Malformed)?;
    let length = match packet.protocol {
        protocol::FRAGMENT => 8,
        // RFC 4302 section 2: twelve bytes at least.
        protocol::AUTHENTICATION if header[1] == 0 => return Err(Refusal::Malformed),
        protocol::AUTHENTICATION => (usize::from(header[1]) + 2) * 4,
        _ => (usize::from(header[1]) + 1) * 8,
    };
    let offset = packet.transport + length;
    if offset > packet.end {
        return Err(Refusal::Malformed);
    }
    if packet.protocol == protocol::FRAGMENT {
        // A fragment of a fragment is nothing that a host makes, and one of the two would go unseen.
        if packet.part != Part::Whole {
            return Err(Refusal::Malformed);
        }
        let field = u16::from_be_bytes([header[2], header[3]]);
        let before = packet.transport - (packet.network + IPV6);
        packet.fragment_id = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        fragment::note(
            packet,
            field >> 3,
            field & 1 != 0,
            before,
            packet.end - offset,
        )?;
    }
    if packet.protocol == protocol::ROUTING {
        packet.goes_on |= header[3] != 0;
    }
    packet.transport = offset;
    packet.protocol = header[0];
    Ok(())
}
