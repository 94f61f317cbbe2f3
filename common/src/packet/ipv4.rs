//! IPv4.

use super::{Bytes, Kind, Packet, Refusal, end_of, fragment, transport};
use crate::host::Address;

const IPV4: usize = 20;

const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// RFC 791 section 3.1.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, packet: &mut Packet) -> Result<Kind, Refusal> {
    let network = packet.network;
    let ip = bytes.header::<IPV4>(network).ok_or(Refusal::Malformed)?;
    let header_length = usize::from(ip[0] & 0x0f) * 4;
    if ip[0] >> 4 != 4 || header_length < IPV4 {
        return Err(Refusal::Malformed);
    }
    let end = end_of(
        bytes,
        network,
        usize::from(u16::from_be_bytes([ip[2], ip[3]])),
    )?;
    let transport = network + header_length;
    if transport > end {
        return Err(Refusal::Malformed);
    }
    packet.source = Address::v4([ip[12], ip[13], ip[14], ip[15]]);
    packet.destination = Address::v4([ip[16], ip[17], ip[18], ip[19]]);
    packet.end = end;
    packet.transport = transport;
    packet.hop_limit = ip[8];
    packet.protocol = ip[9];
    packet.goes_on = header_length > IPV4;
    let fragment = u16::from_be_bytes([ip[6], ip[7]]);
    packet.fragment_id = u32::from(u16::from_be_bytes([ip[4], ip[5]]));
    fragment::note(
        packet,
        fragment & OFFSET,
        fragment & MORE_FRAGMENTS != 0,
        header_length,
        end - transport,
    )?;
    transport::read(bytes, packet)
}
