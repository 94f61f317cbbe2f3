//! What passes for every host, whatever its role.

use super::{
    Basis, Case, Direction, Reason, Tables,
    ruling::{Ruling, by_rules},
};
use crate::{
    host::{Address, Host},
    packet::{Packet, Transport, protocol},
    role::RoleId,
    settings::Scope,
};

/// Whether a packet belongs to what keeps the network running: address configuration and neighbour
/// discovery, and the services that the configuration opens to everyone.
#[inline(always)]
pub(super) fn own_service<T: Tables>(case: &Case<'_>, tables: &T) -> Option<Reason> {
    let Case {
        packet, direction, ..
    } = *case;
    let from_martian = case.standing.basis == Basis::Martian && direction == Direction::FromHost;
    if from_martian && !case.host.address.is_unspecified() {
        return None;
    }
    if is_address_configuration(packet, direction)
        || is_multicast_membership(packet)
        || is_neighbour_discovery(case, tables)
    {
        return Some(Reason::OwnService);
    }
    if direction == Direction::ToHost && packet.destination.is_multicast() {
        return Some(Reason::Multicast);
    }
    if case.standing.basis == Basis::Martian {
        return None;
    }
    (by_rules(case, RoleId::EVERYONE, tables) == Ruling::Allow).then_some(Reason::OwnService)
}

/// DHCP requests (RFC 2131, RFC 8415). Those to the gateway's own address are services by rule.
#[inline(always)]
fn is_address_configuration(packet: &Packet, direction: Direction) -> bool {
    let Some(ports) = packet.ports() else {
        return false;
    };
    if direction != Direction::FromHost || packet.protocol != protocol::UDP {
        return false;
    }
    match (ports.source, ports.destination) {
        (68, 67) => packet.destination == Address::v4([255; 4]),
        (546, 547) => packet.destination.is_link_multicast(),
        _ => false,
    }
}

/// Neighbour discovery (RFC 4861: hop limit 255, so it comes from this link). From hosts only what hosts say (no
/// router advertisements, no redirects), and only to what is on this link: elsewhere it would carry whatever is
/// written inside.
#[inline(always)]
fn is_neighbour_discovery<T: Tables>(case: &Case<'_>, tables: &T) -> bool {
    let Case {
        packet, direction, ..
    } = *case;
    if !packet.is_neighbour_discovery() || packet.hop_limit != 255 {
        return false;
    }
    if direction == Direction::ToHost {
        return true;
    }
    let to = packet.destination;
    !packet.is_of_a_router()
        && (to.is_link_multicast() || to.is_link_local() || is_own(case, tables))
}

/// Whether a packet is for the gateway itself.
#[inline(always)]
fn is_own<T: Tables>(case: &Case<'_>, tables: &T) -> bool {
    let to = Host {
        zone: case.host.zone,
        address: case.packet.destination,
    };
    tables.scope(&to) == Scope::Own
}

/// The membership reports that multicast snooping needs (RFC 3376, RFC 3810).
#[inline(always)]
fn is_multicast_membership(packet: &Packet) -> bool {
    match (packet.protocol, packet.transport_header()) {
        (protocol::ICMPV6, Transport::Icmp(130..=132 | 143)) | (protocol::IGMP, _) => {
            packet.destination.is_link_multicast()
        }
        _ => false,
    }
}
