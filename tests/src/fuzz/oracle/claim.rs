//! What ARP and neighbour discovery say inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    ArpHardwareId, ArpPacketSlice, ether_type,
    icmpv6::{NdpOptionHeader, NdpOptionType},
};

use super::{Packet, Reading};
use enforcer_common::packet::{Part, Refusal, Transport};

/// Who is said to be where: nobody, an address, or an address at a MAC address.
pub type Claim = Option<(IpAddr, Option<[u8; 6]>)>;

/// Options that are looked at.
const OPTIONS: usize = 8;

/// What a frame of ARP claims.
pub fn arp(reading: &Reading<'_>) -> Result<Claim, Refusal> {
    let arp = ArpPacketSlice::from_slice(reading.network).map_err(|_| Refusal::Malformed)?;
    let known =
        arp.hw_addr_type() == ArpHardwareId::ETHERNET && arp.proto_addr_type() == ether_type::IPV4;
    let sender = <[u8; 6]>::try_from(arp.sender_hw_addr());
    let address = <[u8; 4]>::try_from(arp.sender_protocol_addr());
    let (true, Ok(mac), Ok(address)) = (known, sender, address) else {
        return Err(Refusal::Malformed);
    };
    let address = Ipv4Addr::from(address);
    Ok((!address.is_unspecified()).then_some((address.into(), some(mac))))
}

/// Whether a packet is neighbour discovery.
pub fn is_discovery(packet: &Packet<'_>) -> bool {
    packet.protocol == 58 && matches!(packet.transport, Transport::Icmp(133..=137))
}

/// What a message of neighbour discovery claims (RFC 4861): its sender is at the MAC address in its options, else at the
/// sender's; in an advertisement its target, and in a redirect too where an option says so. Who has no address yet asks
/// for its target, at no MAC address.
pub fn discovery(reading: &Reading<'_>, packet: &Packet<'_>) -> Result<Claim, Refusal> {
    if packet.part != Part::Whole {
        return Err(Refusal::Malformed);
    }
    let kind = packet.body[0];
    let fixed = match kind {
        133 => 8,
        134 => 16,
        135 | 136 => 24,
        _ => 40,
    };
    let options = packet.body.get(fixed..).ok_or(Refusal::Malformed)?;
    let given = link_address(options)?;
    let source_unset = packet.source == IpAddr::from(Ipv6Addr::UNSPECIFIED);
    let asks = kind == 135 && source_unset;
    let of_target = kind == 136 || asks || kind == 137 && given.is_some();
    let address = if of_target {
        let target: [u8; 16] = packet.body[8..24].try_into().expect("sixteen bytes");
        Ipv6Addr::from(target).into()
    } else {
        packet.source
    };
    let mac = if asks {
        None
    } else {
        given.or(some(reading.macs.1))
    };
    let unset = match address {
        IpAddr::V4(address) => address.is_unspecified(),
        IpAddr::V6(address) => address.is_unspecified(),
    };
    Ok((!unset).then_some((address, mac)))
}

/// The MAC address in the options, where all that have one agree. All zeros stand for none.
fn link_address(mut options: &[u8]) -> Result<Option<[u8; 6]>, Refusal> {
    let mut found = None;
    for count in 0.. {
        if options.is_empty() {
            break;
        }
        if count == OPTIONS {
            return Err(Refusal::TooDeep);
        }
        let (header, _) = NdpOptionHeader::from_slice(options).map_err(|_| Refusal::Malformed)?;
        let (option, rest) = options
            .split_at_checked(header.byte_len())
            .filter(|(option, _)| !option.is_empty())
            .ok_or(Refusal::Malformed)?;
        options = rest;
        let says = matches!(
            header.option_type,
            NdpOptionType::SOURCE_LINK_LAYER_ADDRESS | NdpOptionType::TARGET_LINK_LAYER_ADDRESS
        );
        if !says {
            continue;
        }
        let mac: [u8; 6] = option[2..8].try_into().expect("six bytes");
        if found.is_some_and(|found| found != mac) {
            return Err(Refusal::Malformed);
        }
        found = some(mac);
    }
    Ok(found)
}

fn some(mac: [u8; 6]) -> Option<[u8; 6]> {
    (mac != [0; 6]).then_some(mac)
}
