//! What the datapath makes of a packet, as the independent library reads it.

mod error;
mod rewrite;
mod segment;

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, ensure};
use enforcer::datapath::Ran;
use etherparse::Ipv4HeaderSlice;

use super::{
    finding::hex,
    frames::checksum,
    kernel::Act,
    oracle::{Packet, Reading},
    world::World,
};
use enforcer_common::counter::Hook;

/// Whether the programs left what the act says.
pub fn check(
    hook: Hook,
    act: Act,
    frame: &[u8],
    ran: &Ran,
    reading: &Reading<'_>,
    world: &World,
) -> Result<()> {
    let left = &ran.packet[..];
    let case = Case {
        hook,
        frame,
        left,
        sent: reading,
        world,
    };
    let checked = match act {
        Act::Gone => Ok(()),
        Act::Nothing => case.unchanged(),
        Act::ToPortal => case.goes_to_portal(),
        Act::FromPortal(server) => case.is_of_server(server),
        Act::Reset => case.reset(),
        Act::Error => case.error(),
        Act::Close => case.close(),
    };
    checked.with_context(|| format!("{act:?} left {:?}", hex(left)))
}

struct Case<'a> {
    hook: Hook,
    frame: &'a [u8],
    left: &'a [u8],
    sent: &'a Reading<'a>,
    world: &'a World,
}

impl<'a> Case<'a> {
    fn unchanged(&self) -> Result<()> {
        ensure!(self.left == self.frame, "it was changed");
        Ok(())
    }

    fn packet(&self) -> Result<&'a Packet<'a>> {
        self.sent.packet.as_ref().context("no packet was sent")
    }

    /// Bytes before the network header.
    fn link(&self) -> usize {
        self.frame.len() - self.sent.network.len()
    }

    /// The link header of a reply: addresses swapped, tags as they were.
    fn turned_around(&self) -> Result<()> {
        let link = self.link();
        let (to, from) = (&self.frame[..6], &self.frame[6..12]);
        ensure!(
            self.left[..6] == *from && self.left[6..12] == *to,
            "MAC addresses"
        );
        ensure!(self.left[12..link] == self.frame[12..link], "tags");
        Ok(())
    }
}

/// An IPv4 header without options, with a right checksum.
fn check_header(network: &[u8], from: IpAddr) -> Result<()> {
    if from.is_ipv6() {
        return Ok(());
    }
    let header = Ipv4HeaderSlice::from_slice(network)?;
    ensure!(header.slice().len() == 20, "options");
    ensure!(residue(header.slice()) == 0, "the checksum of IP");
    Ok(())
}

/// What a checksum over these bytes leaves: zero when it is right.
fn residue(bytes: &[u8]) -> u16 {
    let nobody = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    // As of ICMP in IPv4, which has no pseudo header.
    checksum(nobody, nobody, 1, 0, bytes)
}

fn sum(packet: &Packet<'_>) -> u16 {
    let Packet {
        source,
        destination,
        protocol,
        body,
        ..
    } = *packet;
    checksum(source, destination, protocol, body.len(), body)
}

/// Zero has two forms in one's complement.
fn same_sum([one, other]: [u16; 2]) -> bool {
    one == other || (one.wrapping_add(1) <= 1 && other.wrapping_add(1) <= 1)
}

fn is_one(ip: IpAddr) -> bool {
    let many = ip.is_multicast() || ip == IpAddr::from(Ipv4Addr::BROADCAST);
    !many && !ip.is_unspecified() && !ip.is_loopback()
}

fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}
