//! Packets with another end: on their way to the portal, and back.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};

use super::{Case, offset, residue, same_sum, sum};
use crate::fuzz::oracle::read;
use enforcer_common::{host::Address, packet::Part};

impl Case<'_> {
    /// The packet with another end: nothing but that end and the checksums changed, and these by just as much.
    fn rewritten(&self, source: bool, ip: IpAddr, port: u16) -> Result<()> {
        let sent = self.packet()?;
        ensure!(self.left.len() == self.frame.len(), "another length");
        let left = read(self.left);
        let left = left.packet.context("no packet is left")?;
        let mut expected = self.frame.to_vec();
        let link = self.link();
        let body = offset(self.frame, sent.body);
        let size = if ip.is_ipv4() { 4 } else { 16 };
        let first = link + if ip.is_ipv4() { 12 } else { 8 } + if source { 0 } else { size };
        match ip {
            IpAddr::V4(ip) => expected[first..first + size].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => expected[first..first + size].copy_from_slice(&ip.octets()),
        }
        if ip.is_ipv4() {
            expected[link + 10..link + 12].copy_from_slice(&self.left[link + 10..link + 12]);
            let header = body - link;
            let sums = [&self.frame[link..][..header], &self.left[link..][..header]];
            ensure!(same_sum(sums.map(residue)), "the checksum of IP");
        }
        if sent.part != Part::Later {
            let at = body + if source { 0 } else { 2 };
            expected[at..at + 2].copy_from_slice(&port.to_be_bytes());
            expected[body + 16..body + 18].copy_from_slice(&self.left[body + 16..body + 18]);
            ensure!(same_sum([sum(sent), sum(&left)]), "the checksum of TCP");
        }
        ensure!(
            self.left == expected,
            "more than an address and a port was changed"
        );
        Ok(())
    }

    pub(super) fn goes_to_portal(&self) -> Result<()> {
        let sent = self.packet()?;
        let port = self.world.plan.portal_port.context("there is no portal")?;
        let own = self
            .world
            .own(sent.destination)
            .context("the gateway has no address")?;
        ensure!(sent.protocol == 6, "no TCP");
        self.rewritten(false, own, port)
    }

    pub(super) fn is_of_server(&self, server: Address) -> Result<()> {
        let portal = self.packet()?.source;
        ensure!(self.world.own(portal) == Some(portal), "not of the portal");
        self.rewritten(true, server.into(), 80)
    }
}
