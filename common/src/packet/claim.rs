//! What ARP and neighbour discovery say inside: who is at which MAC address.

use super::{Bytes, Header, Packet, Part, Refusal, protocol};
use crate::{host::Address, mac::Mac};

/// Somebody says to have an address.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The address; unspecified when nobody claims any.
    pub address: Address,
    /// The MAC address that is said to have it; none when the message asks whether anybody has.
    pub mac: Mac,
}

/// Ethernet and IPv4, with addresses of six and four bytes (RFC 826).
const ARP_HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ARP: usize = 28;

impl Claim {
    /// Nobody says anything.
    pub const NONE: Self = Self {
        address: Address::v4([0; 4]),
        mac: Mac::NONE,
    };

    /// Whether an address is claimed at all.
    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.address.is_unspecified()
    }
}

/// What an ARP packet claims. A probe (RFC 5227) has no sender.
#[inline(always)]
pub fn arp_claim<B: Bytes + ?Sized>(bytes: &B, packet: &Packet) -> Result<Claim, Refusal> {
    let arp = bytes
        .header::<ARP>(packet.network)
        .ok_or(Refusal::Malformed)?;
    let head = [arp[0], arp[1], arp[2], arp[3], arp[4], arp[5]];
    if head != ARP_HEAD {
        return Err(Refusal::Malformed);
    }
    Ok(Claim {
        address: Address::v4([arp[14], arp[15], arp[16], arp[17]]),
        mac: Mac::new([arp[8], arp[9], arp[10], arp[11], arp[12], arp[13]]),
    })
}

const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;

/// Options of a message that are looked at; honest ones have fewer.
const OPTIONS: usize = 8;

/// What a neighbour discovery message (RFC 4861) claims: that its sender has the MAC address in its options, or else the
/// one that the frame came from. In an advertisement that is said of its target, and so is what a redirect has in its
/// options. Whoever has no address yet asks whether anybody has this one (RFC 4862 section 5.4), and claims no MAC
/// address for it.
#[inline(always)]
pub fn neighbour_claim<B: Bytes + ?Sized>(bytes: &B, packet: &Packet) -> Result<Claim, Refusal> {
    // RFC 6980: never in fragments.
    if packet.part != Part::Whole {
        return Err(Refusal::Malformed);
    }
    let kind = packet.icmp_type;
    let options = match kind {
        ROUTER_SOLICITATION => 8,
        ROUTER_ADVERTISEMENT => 16,
        NEIGHBOUR_SOLICITATION | NEIGHBOUR_ADVERTISEMENT => 24,
        _ => 40,
    };
    let given = link_address(bytes, packet, options)?;
    let asks = kind == NEIGHBOUR_SOLICITATION && packet.source.is_unspecified();
    let mac = if asks {
        Mac::NONE
    } else if given.is_none() {
        packet.source_mac
    } else {
        given
    };
    let of_the_target = match kind {
        NEIGHBOUR_ADVERTISEMENT => true,
        REDIRECT => !given.is_none(),
        _ => asks,
    };
    if of_the_target {
        let target = bytes
            .header::<16>(packet.transport + 8)
            .ok_or(Refusal::Malformed)?;
        return Ok(Claim {
            address: Address::v6(target),
            mac,
        });
    }
    Ok(Claim {
        address: packet.source,
        mac,
    })
}

/// The MAC address in the options for source (1) and target (2) link-layer address; none when there is none.
#[inline(always)]
fn link_address<B: Bytes + ?Sized>(
    bytes: &B,
    packet: &Packet,
    options: usize,
) -> Result<Mac, Refusal> {
    let mut offset = packet.transport + options;
    let mut found = Mac::NONE;
    if offset > packet.end {
        return Err(Refusal::Malformed);
    }
    for _ in 0..OPTIONS {
        if offset == packet.end {
            return Ok(found);
        }
        let option = bytes.header::<8>(offset).ok_or(Refusal::Malformed)?;
        let length = usize::from(option[1]) * 8;
        if length == 0 || offset + length > packet.end {
            return Err(Refusal::Malformed);
        }
        if matches!(option[0], 1 | 2) {
            let mac = Mac::new([
                option[2], option[3], option[4], option[5], option[6], option[7],
            ]);
            // Two that differ: a receiver may take either.
            if !found.is_none() && found != mac {
                return Err(Refusal::Malformed);
            }
            found = mac;
        }
        offset += length;
    }
    if offset == packet.end {
        Ok(found)
    } else {
        Err(Refusal::TooDeep)
    }
}

impl Packet {
    /// Whether this is neighbour discovery: ICMPv6 of the types 133 to 137 (RFC 4861).
    #[inline(always)]
    pub fn is_neighbour_discovery(&self) -> bool {
        matches!(self.icmpv6_type(), ROUTER_SOLICITATION..=REDIRECT)
    }

    /// Whether this is what only routers send: advertisements and redirects.
    #[inline(always)]
    pub fn is_of_a_router(&self) -> bool {
        matches!(self.icmpv6_type(), ROUTER_ADVERTISEMENT | REDIRECT)
    }

    /// Whether this is a redirect.
    #[inline(always)]
    pub fn is_redirect(&self) -> bool {
        self.icmpv6_type() == REDIRECT
    }

    /// The type of an ICMPv6 message; 0, which is reserved (RFC 4443 section 2.1), for anything else. Not an `Option`:
    /// the verifier refuses what the compiler makes of a payload that is not there.
    #[inline(always)]
    fn icmpv6_type(&self) -> u8 {
        if self.protocol == protocol::ICMPV6 && self.header == Header::Icmp {
            self.icmp_type
        } else {
            0
        }
    }

    /// Whether this is what only DHCP servers send: clients listen on these ports, whatever port it comes from.
    #[inline(always)]
    pub fn is_of_a_dhcp_server(&self) -> bool {
        self.protocol == protocol::UDP
            && self
                .ports()
                .is_some_and(|ports| matches!(ports.destination, 68 | 546))
    }
}
