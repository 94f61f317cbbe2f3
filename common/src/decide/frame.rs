//! A whole frame, from its first byte to its verdict.

use super::{
    Case, Direction, Judgement, Standing, Tables, at_once, consider, judge_arp, judge_link,
    judge_refusal, judge_vlan, judgement::pass, standing,
};
use crate::{
    host::Host,
    packet::{
        Bytes, Claim, Kind, Packet, Refusal, Vlans, arp_claim, neighbour_claim, parse_chain,
        parse_into,
    },
    settings::InterfaceRow,
};

/// A frame and what was judged of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What the frame turned out to be.
    pub kind: Result<Kind, Refusal>,
    /// The packet, when it is IP.
    pub packet: Packet,
    /// Whose it is, when that can be said.
    pub host: Option<(Host, Standing)>,
    /// The judgement.
    pub judgement: Judgement,
}

/// The zone of a frame's hosts; `None` where the interface does not allow its VLANs.
#[inline(always)]
pub fn zone<T: Tables>(interface: &InterfaceRow, vlans: Vlans, tables: &T) -> Option<u32> {
    if vlans.is_none() {
        return (!interface.has(InterfaceRow::TAGGED_ONLY)).then_some(interface.zone);
    }
    tables.vlan_zone(vlans)
}

/// The verdict for a frame on an interface, with all steps that lead to it.
pub fn judge_frame<B: Bytes + ?Sized, T: Tables>(
    bytes: &B,
    direction: Direction,
    interface: &InterfaceRow,
    tables: &T,
    now: u64,
) -> Judged {
    let mut packet = Packet::EMPTY;
    let kind = parse_into(bytes, &mut packet);
    let zone = zone(interface, packet.vlans, tables);
    // As in the kernel: only where its VLAN is allowed is a chain of headers worth the walk.
    let kind = match kind {
        Ok(Kind::Chain) if zone.is_some() => parse_chain(bytes, &mut packet),
        kind => kind,
    };
    let mut judged = Judged {
        kind,
        packet,
        host: None,
        judgement: judge_link(),
    };
    let kind = match kind {
        Ok(kind) => kind,
        Err(refusal) => {
            judged.judgement = judge_refusal(refusal, tables);
            return judged;
        }
    };
    // What neighbours say outside of any VLAN is about the link itself.
    if kind == Kind::Link && packet.vlans.is_none() {
        return judged;
    }
    let Some(zone) = zone else {
        judged.judgement = judge_vlan(tables);
        return judged;
    };
    let address = match (kind, direction) {
        (Kind::Link, _) => return judged,
        (Kind::Arp, _) => {
            let (host, judgement) = arp(bytes, &packet, direction, zone, tables, now);
            judged.host = host;
            judged.judgement = judgement;
            return judged;
        }
        (Kind::Ip | Kind::Chain, Direction::FromHost) => packet.source,
        (Kind::Ip | Kind::Chain, Direction::ToHost) => packet.destination,
    };
    let host = Host { zone, address };
    let standing = standing(&host, tables, now);
    judged.host = Some((host, standing));
    let case = Case {
        packet: &packet,
        direction,
        interface,
        host: &host,
        standing: &standing,
        now,
    };
    judged.judgement = match at_once(&case, tables) {
        Some(reason) => pass(reason, standing.role),
        None => match claim_of(bytes, &packet, direction) {
            Ok(claim) => consider(&case, &claim, tables),
            Err(refusal) => {
                judged.host = None;
                judge_refusal(refusal, tables)
            }
        },
    };
    judged
}

/// What a host's packet claims; what is sent to hosts claims nothing that matters.
fn claim_of<B: Bytes + ?Sized>(
    bytes: &B,
    packet: &Packet,
    direction: Direction,
) -> Result<Claim, Refusal> {
    if direction == Direction::FromHost && packet.is_neighbour_discovery() {
        neighbour_claim(bytes, packet)
    } else {
        Ok(Claim::NONE)
    }
}

fn arp<B: Bytes + ?Sized, T: Tables>(
    bytes: &B,
    packet: &Packet,
    direction: Direction,
    zone: u32,
    tables: &T,
    now: u64,
) -> (Option<(Host, Standing)>, Judgement) {
    if direction == Direction::ToHost {
        return (None, judge_link());
    }
    let claim = match arp_claim(bytes, packet) {
        Ok(claim) => claim,
        Err(refusal) => return (None, judge_refusal(refusal, tables)),
    };
    let host = Host {
        zone,
        address: claim.address,
    };
    let standing = standing(&host, tables, now);
    let judgement = judge_arp(&claim, packet.source_mac, &standing, tables);
    (Some((host, standing)), judgement)
}
