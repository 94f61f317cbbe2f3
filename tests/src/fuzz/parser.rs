//! Our parser against the oracle.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};

use super::oracle::{self, Reading, Rules, claim, whole};
use enforcer_common::{
    host::Address,
    mac::Mac,
    packet::{self, Kind, Packet, Refusal, Stripped, arp_claim, neighbour_claim, parse_whole},
};

/// A tag of the provider's, as hardware takes it off.
const STRIPPED: [u8; 4] = [0x88, 0xa8, 0x60, 7];

/// Reads frames one after the other.
#[derive(Clone)]
pub struct Parser {
    /// Where the frames before were read, as the kernel programs do it: nothing of them may be left.
    used: Packet,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            used: Packet::EMPTY,
        }
    }
}

impl Parser {
    /// Whether our parser and the oracle agree on a frame, and by which rules.
    pub fn check(&mut self, frame: &[u8]) -> Result<Rules> {
        let reading = oracle::read(frame);
        let mut fresh = Packet::EMPTY;
        let kind = parse_whole(frame, &mut fresh);
        compare(frame, kind, &fresh, &reading)
            .with_context(|| format!("ours: {kind:?} {fresh:?}\noracle: {reading:?}"))?;
        let again = parse_whole(frame, &mut self.used);
        compare(frame, again, &self.used, &reading)
            .context("where another frame was read before")?;
        if reading.rules.is_empty() {
            whole::check(frame, &reading)
                .with_context(|| format!("no rule sets the oracle apart: {reading:?}"))?;
        }
        compare_stripped(frame).context("with a tag that hardware took off")?;
        Ok(reading.rules)
    }
}

/// Whether all is the same that decides.
fn compare(
    frame: &[u8],
    kind: Result<Kind, Refusal>,
    ours: &Packet,
    reading: &Reading<'_>,
) -> Result<()> {
    ensure!(kind == reading.kind, "kind");
    if kind.is_err() {
        return Ok(());
    }
    ensure!(ours.source_mac == Mac::new(reading.macs.1), "MAC");
    ensure!(ours.vlans == reading.vlans, "VLANs");
    ensure!(ours.network == offset(frame, reading.network), "network");
    if kind == Ok(Kind::Arp) {
        return same_claim(arp_claim(frame, ours), claim::arp(reading));
    }
    let Some(packet) = &reading.packet else {
        return Ok(());
    };
    ensure!(ours.source == address(packet.source), "source");
    ensure!(
        ours.destination == address(packet.destination),
        "destination"
    );
    ensure!(ours.hop_limit == packet.hop_limit, "hop limit");
    ensure!(ours.protocol == packet.protocol, "protocol");
    ensure!(ours.goes_on == packet.goes_on, "further stations");
    ensure!(ours.part == packet.part, "part");
    ensure!(
        packet.fragment_id.is_none_or(|id| id == ours.fragment_id),
        "fragment"
    );
    ensure!(ours.transport == offset(frame, packet.body), "transport");
    ensure!(ours.end == ours.transport + packet.body.len(), "end");
    ensure!(
        ours.transport_header() == packet.transport,
        "transport header"
    );
    let discovery = ours.is_neighbour_discovery();
    ensure!(
        discovery == claim::is_discovery(packet),
        "neighbour discovery"
    );
    if !discovery {
        return Ok(());
    }
    same_claim(
        neighbour_claim(frame, ours),
        claim::discovery(reading, packet),
    )
}

fn same_claim(
    ours: Result<packet::Claim, Refusal>,
    theirs: Result<claim::Claim, Refusal>,
) -> Result<()> {
    let said = ours.map(|claim| {
        let mac = (!claim.mac.is_none()).then(|| claim.mac.bytes());
        (!claim.is_none()).then_some((IpAddr::from(claim.address), mac))
    });
    ensure!(said == theirs, "the claim {ours:?}, not {theirs:?}");
    Ok(())
}

/// A tag beside the frame says the same as one inside.
fn compare_stripped(frame: &[u8]) -> Result<()> {
    let Some((macs, rest)) = frame.split_at_checked(12) else {
        return Ok(());
    };
    if rest.len() < 2 {
        return Ok(());
    }
    let inside = [macs, &STRIPPED, rest].concat();
    let tag = u16::from_be_bytes([STRIPPED[2], STRIPPED[3]]);
    let (mut within, mut beside) = (Packet::EMPTY, Packet::EMPTY);
    let one = parse_whole(&inside[..], &mut within);
    let other = parse_whole(&Stripped { tag, frame }, &mut beside);
    ensure!(one == other, "{one:?} inside, {other:?} beside");
    if one.is_err() {
        return Ok(());
    }
    let moved = STRIPPED.len();
    beside.network += moved;
    if one == Ok(Kind::Ip) {
        beside.transport += moved;
        beside.end += moved;
    }
    ensure!(within == beside, "{within:?} inside, {beside:?} beside");
    Ok(())
}

/// Where a part of the frame begins.
fn offset(frame: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - frame.as_ptr().addr()
}

/// The address as it stands in the packet: one of IPv4 that is written as IPv6 is no address of IPv4.
pub fn address(ip: IpAddr) -> Address {
    match ip {
        IpAddr::V4(ip) => Address::v4(ip.octets()),
        IpAddr::V6(ip) => Address::v6(ip.octets()),
    }
}
