//! The law: nothing passes but of a host that may, or what keeps the network running.
//!
//! Written once more from what the tables mean, on the oracle's reading of a frame and without any of the shared code that
//! decides, so that both would have to be wrong to let something pass.

mod address;

use std::net::{IpAddr, Ipv4Addr};

use super::{
    named::named,
    oracle::{Packet, Reading, claim, read},
    parser::address as as_it_stands,
    world::{Memory, World},
};
use address::{is_many, is_near, is_no_host, is_nowhere};
use enforcer_common::{
    decide::{Direction, Verdict},
    host::{FOREVER, Host, HostRow, SourceId},
    packet::{Kind, Part, Transport},
    role::{RoleId, RoleRow, Rule},
    seen::JudgedRow,
    settings::{Scope, Undecided},
};

named! {
    /// Why a frame may pass.
    Why {
        /// Nothing is stopped here, only counted.
        Monitored,
        /// A protocol between neighbours.
        Link,
        /// ARP that says nothing false.
        Arp,
        /// The host's role lets it pass.
        Role,
        /// Its address is in a bypassed scope, or in none.
        Unchecked,
        /// Nothing is decided of the host, and such hosts are to pass.
        Undecided,
        /// It opens the first flow of an unknown host.
        FirstPacket,
        /// It asks for an address.
        AddressConfiguration,
        /// It looks for neighbours, or answers them.
        NeighbourDiscovery,
        /// It tells which groups a host listens to.
        Membership,
        /// It is for many.
        Multicast,
        /// It belongs to a service that is open to everyone.
        Service,
        /// It is on its way to the portal.
        Portal,
        /// It tells the far end of a flow that this is over.
        FarEnd,
    }
}

/// The tables by which frames may pass this way.
pub struct Law<'a> {
    /// What they hold.
    pub world: &'a World,
    /// The same, to be searched.
    pub memory: &'a Memory,
    /// Which way the frames travel.
    pub way: Direction,
}

/// What is known of a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Role(RoleId),
    Unchecked,
    Unknown,
    Nobody,
}

impl Law<'_> {
    /// Why a frame that passed, as `judged` and `left` by the programs, may do so; nothing where it may not.
    pub fn why(&self, reading: &Reading<'_>, judged: &JudgedRow, left: &[u8]) -> Option<Why> {
        let monitors = !self.world.rulings.enforce || self.has(judged.role, RoleRow::MONITOR);
        if judged.monitored != 0 {
            return monitors.then_some(Why::Monitored);
        }
        match (reading.kind.ok()?, &reading.packet) {
            (Kind::Link, _) => {
                let tag = reading.vlans.outer;
                let allowed = tag == 0 || self.world.zone(tag, reading.vlans.inner).is_some();
                allowed.then_some(Why::Link)
            }
            (Kind::Arp, _) => self.arp(reading),
            (_, Some(packet)) => {
                let zone = self.world.zone(reading.vlans.outer, reading.vlans.inner)?;
                match judged.done() {
                    Verdict::Redirect => self.to_portal(left),
                    Verdict::Close => self.to_far_end(packet, zone, left),
                    _ => self.packet(reading, packet, zone),
                }
            }
            _ => None,
        }
    }

    fn has(&self, role: RoleId, flag: u32) -> bool {
        self.world.role(role).has(flag)
    }

    fn arp(&self, reading: &Reading<'_>) -> Option<Why> {
        let zone = self.world.zone(reading.vlans.outer, reading.vlans.inner)?;
        if self.way == Direction::ToHost {
            return Some(Why::Arp);
        }
        let claim = claim::arp(reading).ok()?;
        let is_true = claim.is_none_or(|(ip, mac)| {
            let sender = Some(reading.macs.1);
            self.is_at(ip, zone, mac) && self.is_at(ip, zone, sender)
        });
        is_true.then_some(Why::Arp)
    }

    /// Whether a host may be at this MAC address, or somewhere.
    fn is_at(&self, ip: IpAddr, zone: u32, mac: Option<[u8; 6]>) -> bool {
        let bound = self.bound(ip, zone);
        self.standing(ip, zone) != Standing::Nobody && (bound.is_none() || bound == mac)
    }

    /// Whether what a message of neighbour discovery claims contradicts no table.
    fn may_say(&self, reading: &Reading<'_>, packet: &Packet<'_>, zone: u32) -> bool {
        let Ok(claim) = claim::discovery(reading, packet) else {
            return false;
        };
        match claim {
            None => true,
            // It asks whether anybody has the address.
            Some((ip, None)) => self.standing(ip, zone) != Standing::Nobody,
            // Who redirects tells of another.
            Some((ip, mac)) if icmp(packet, 58) == Some(137) => self.is_at(ip, zone, mac),
            Some((ip, mac)) => {
                self.is_at(ip, zone, mac) && self.is_at(ip, zone, Some(reading.macs.1))
            }
        }
    }

    /// The MAC address that a host is bound to, by a decision that has not ended, also while its source is silent.
    fn bound(&self, ip: IpAddr, zone: u32) -> Option<[u8; 6]> {
        let row = self.row(ip, zone)?;
        (row.mac != [0; 6]).then_some(row.mac)
    }

    /// What is decided of a host; all ends of this world are behind it or never come.
    fn row(&self, ip: IpAddr, zone: u32) -> Option<&HostRow> {
        let row = self.world.hosts.get(&host(ip, zone));
        row.filter(|row| row.deadline == FOREVER)
    }

    fn is_leased(&self, source: SourceId) -> bool {
        self.world.leases.get(&source) == Some(&FOREVER)
    }

    fn standing(&self, ip: IpAddr, zone: u32) -> Standing {
        if let Some(row) = self.row(ip, zone) {
            let holds = self.world.rulings.lease_holds || self.is_leased(row.origin.source());
            let expired = self.world.rulings.lease_expired;
            return Standing::Role(if holds { row.role } else { expired });
        }
        if is_no_host(ip) {
            return Standing::Nobody;
        }
        match self.memory.scope(&host(ip, zone)) {
            Scope::Own => Standing::Nobody,
            Scope::Checked => Standing::Unknown,
            Scope::Bypassed | Scope::Outside => Standing::Unchecked,
        }
    }

    fn packet(&self, reading: &Reading<'_>, packet: &Packet<'_>, zone: u32) -> Option<Why> {
        let from_host = self.way == Direction::FromHost;
        let me = if from_host {
            packet.source
        } else {
            packet.destination
        };
        if from_host && self.is_forbidden(reading, packet, zone) {
            return None;
        }
        let standing = self.standing(me, zone);
        let by_standing = match standing {
            Standing::Role(role) => self.role_allows(role, packet).then_some(Why::Role),
            Standing::Unchecked => Some(Why::Unchecked),
            Standing::Unknown if self.role_allows(RoleId::UNKNOWN, packet) => Some(Why::Role),
            Standing::Unknown if self.may_be_open() => Some(Why::Undecided),
            Standing::Unknown if from_host && self.opens(packet) => Some(Why::FirstPacket),
            Standing::Unknown | Standing::Nobody => None,
        };
        if by_standing.is_some() {
            return by_standing;
        }
        let nobody = standing == Standing::Nobody && from_host;
        if nobody && !me.is_unspecified() {
            return None;
        }
        self.own_service(packet, zone)
            .or_else(|| (!from_host && is_many(packet.destination)).then_some(Why::Multicast))
            .or_else(|| {
                let open = standing != Standing::Nobody
                    && self.rules_allow(RoleId::EVERYONE, packet) == Some(true);
                open.then_some(Why::Service)
            })
    }

    /// What no host may send, whatever its role.
    fn is_forbidden(&self, reading: &Reading<'_>, packet: &Packet<'_>, zone: u32) -> bool {
        let bound = self.bound(packet.source, zone);
        if is_nowhere(packet.destination) || bound.is_some_and(|mac| mac != reading.macs.1) {
            return true;
        }
        let kind = icmp(packet, 58);
        let of_router = matches!(kind, Some(134 | 137));
        let of_dhcp = packet.protocol == 17
            && matches!(packet.transport, Transport::Datagram(ports) if matches!(ports.destination, 68 | 546));
        if of_router && !self.world.plan.routers || of_dhcp && !self.world.plan.dhcp_servers {
            return true;
        }
        claim::is_discovery(packet) && !self.may_say(reading, packet, zone)
    }

    /// Whether hosts that nothing is decided of pass, perhaps only once nobody has answered.
    fn may_be_open(&self) -> bool {
        self.world.rulings.undecided != Undecided::Stopped
    }

    fn opens(&self, packet: &Packet<'_>) -> bool {
        match packet.transport {
            Transport::Tcp(_, flags) => flags.bits & 0x17 == 0x02 && !flags.payload,
            Transport::Datagram(_) | Transport::Icmp(_) => self.world.rulings.first_datagram,
            Transport::None => false,
        }
    }

    fn role_allows(&self, role: RoleId, packet: &Packet<'_>) -> bool {
        let ruled = if self.has(role, RoleRow::RULES) {
            self.rules_allow(role, packet)
        } else {
            None
        };
        ruled.unwrap_or(self.has(role, RoleRow::ALLOW))
    }

    /// No rule opens the way to what is not bound for where it says.
    fn rules_allow(&self, role: RoleId, packet: &Packet<'_>) -> Option<bool> {
        if packet.goes_on {
            return Some(false);
        }
        let ports = match packet.transport {
            Transport::Tcp(ports, _) | Transport::Datagram(ports) => Some(ports),
            Transport::Icmp(_) | Transport::None => None,
        };
        let (remote, port) = match self.way {
            Direction::FromHost => (packet.destination, ports.map(|ports| ports.destination)),
            Direction::ToHost => (packet.source, ports.map(|ports| ports.source)),
        };
        let set = self.memory.rules(role, as_it_stands(remote).mapped())?;
        let meant = |rule: &&Rule| {
            let port_too =
                port.is_some_and(|port| (rule.first_port..=rule.last_port).contains(&port));
            let protocol_too = [Rule::ANY_PROTOCOL, packet.protocol].contains(&rule.protocol);
            protocol_too && (rule.any_port == 1 || port_too)
        };
        let rules = set.rules.iter().take(usize::try_from(set.count).ok()?);
        rules.into_iter().find(meant).map(|rule| rule.allow == 1)
    }

    /// What keeps the network running.
    fn own_service(&self, packet: &Packet<'_>, zone: u32) -> Option<Why> {
        let from_host = self.way == Direction::FromHost;
        let to = packet.destination;
        let near = is_near(to);
        if from_host
            && packet.protocol == 17
            && let Transport::Datagram(ports) = packet.transport
        {
            let v4 = (68, 67) == (ports.source, ports.destination)
                && to == IpAddr::from(Ipv4Addr::BROADCAST);
            let v6 = (546, 547) == (ports.source, ports.destination) && near;
            if v4 || v6 {
                return Some(Why::AddressConfiguration);
            }
        }
        let reports = packet.protocol == 2 || matches!(icmp(packet, 58), Some(130..=132 | 143));
        if reports && near {
            return Some(Why::Membership);
        }
        let found = match icmp(packet, 58) {
            Some(133 | 135 | 136) => packet.hop_limit == 255,
            Some(134 | 137) => packet.hop_limit == 255 && !from_host,
            _ => false,
        };
        let on_link = near
            || matches!(to, IpAddr::V6(to) if to.is_unicast_link_local())
            || self.memory.scope(&host(to, zone)) == Scope::Own;
        (found && (!from_host || on_link)).then_some(Why::NeighbourDiscovery)
    }

    /// What was sent to the portal carries the portal's own address and port, or is a later fragment for that address.
    fn to_portal(&self, left: &[u8]) -> Option<Why> {
        let left = read(left);
        let packet = left.packet?;
        let port = self.world.plan.portal_port?;
        let there = match packet.transport {
            Transport::Tcp(ports, _) => ports.destination == port,
            _ => packet.part == Part::Later,
        };
        (there && self.world.own(packet.destination) == Some(packet.destination))
            .then_some(Why::Portal)
    }

    /// What tells the far end that a flow is over is a reset without payload, of a host that lost its role just now.
    fn to_far_end(&self, packet: &Packet<'_>, zone: u32, left: &[u8]) -> Option<Why> {
        let row = self.world.hosts.get(&host(packet.source, zone))?;
        let left = read(left);
        let Transport::Tcp(_, flags) = left.packet?.transport else {
            return None;
        };
        let resets = flags.bits & 0x04 != 0 && !flags.payload;
        (resets && row.origin.is_closing()).then_some(Why::FarEnd)
    }
}

fn host(ip: IpAddr, zone: u32) -> Host {
    Host {
        zone,
        address: as_it_stands(ip),
    }
}

/// The type of an ICMP message of this protocol.
fn icmp(packet: &Packet<'_>, protocol: u8) -> Option<u8> {
    match packet.transport {
        Transport::Icmp(kind) if packet.protocol == protocol => Some(kind),
        _ => None,
    }
}
