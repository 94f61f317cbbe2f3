//! What no host may send, whatever its role and scope.

use super::{Basis, Case, Direction, Reason, Tables, arp::refuted, standing};
use crate::{
    host::Host,
    packet::{Claim, Packet, Transport},
    settings::InterfaceRow,
};

/// Whether [`guard`] may have something against a packet apart from its sender. TCP, the common case, is only
/// looked at for where it goes.
#[inline(always)]
pub(super) fn needs_a_look(packet: &Packet) -> bool {
    if packet.destination.is_nowhere() {
        return true;
    }
    match packet.transport_header() {
        Transport::Tcp(..) | Transport::None => false,
        Transport::Datagram(_) => packet.is_of_a_dhcp_server(),
        Transport::Icmp(_) => packet.is_neighbour_discovery(),
    }
}

/// Why a packet is stopped before its role is asked.
#[inline(always)]
pub(super) fn guard<T: Tables>(case: &Case<'_>, claim: &Claim, tables: &T) -> Option<Reason> {
    let Case {
        packet,
        interface,
        standing: known,
        ..
    } = *case;
    if case.direction == Direction::ToHost {
        return None;
    }
    if packet.destination.is_nowhere() {
        return Some(Reason::Martian);
    }
    if known.is_elsewhere(packet.source_mac) {
        return Some(Reason::Spoofed);
    }
    if packet.is_of_a_router() && !interface.has(InterfaceRow::ROUTERS) {
        return Some(Reason::RogueRouter);
    }
    if packet.is_of_a_dhcp_server() && !interface.has(InterfaceRow::DHCP_SERVERS) {
        return Some(Reason::RogueDhcp);
    }
    // Whoever asks for a router before it has an address claims none.
    if claim.is_none() {
        return None;
    }
    let claimed = Host {
        zone: case.host.zone,
        address: claim.address,
    };
    let claimed = standing(&claimed, tables, case.now);
    // Whoever asks whether anybody has an address says nothing of where it is.
    if claim.mac.is_none() {
        return (claimed.basis == Basis::Martian).then_some(Reason::Martian);
    }
    // Who redirects tells of another.
    let sender = if packet.is_redirect() {
        claim.mac
    } else {
        packet.source_mac
    };
    refuted(claim, sender, &claimed)
}
