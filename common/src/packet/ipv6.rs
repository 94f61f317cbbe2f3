//! IPv6 and its chain of extension headers.

use super::{Bytes, Kind, Packet, Refusal, end_of, fragment::Fragment, protocol, transport};
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
    let mut chain = Chain {
        next: ip[6],
        offset: start,
        fragment: Fragment::First,
    };
    for _ in 0..limits::EXTENSION_HEADERS {
        if !chain.is_extension() {
            break;
        }
        chain = chain.step(bytes, end)?;
    }
    if chain.is_extension() {
        return Err(Refusal::TooDeep);
    }
    packet.transport = chain.offset;
    packet.protocol = chain.next;
    transport::read(bytes, packet, chain.fragment)
}

/// A place in a chain of extension headers.
#[derive(Clone, Copy)]
struct Chain {
    next: u8,
    offset: usize,
    fragment: Fragment,
}

impl Chain {
    /// Whether another header is to be skipped. Behind a later fragment's header nothing can be read.
    #[inline(always)]
    fn is_extension(&self) -> bool {
        use protocol::{AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, MOBILITY, ROUTING};
        self.fragment == Fragment::First
            && matches!(
                self.next,
                HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY
            )
    }

    #[inline(always)]
    fn step<B: Bytes + ?Sized>(self, bytes: &B, end: usize) -> Result<Self, Refusal> {
        let header = bytes.header::<8>(self.offset).ok_or(Refusal::Malformed)?;
        let (length, fragment) = match self.next {
            protocol::FRAGMENT => (
                8,
                Fragment::at(u16::from_be_bytes([header[2], header[3]]) >> 3),
            ),
            protocol::AUTHENTICATION => ((usize::from(header[1]) + 2) * 4, Fragment::First),
            _ => ((usize::from(header[1]) + 1) * 8, Fragment::First),
        };
        let offset = self.offset + length;
        if offset > end {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            next: header[0],
            offset,
            fragment,
        })
    }
}
