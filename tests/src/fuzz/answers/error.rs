//! ICMP errors.

use anyhow::{Context, Result, ensure};
use etherparse::SlicedPacket;

use super::{Case, check_header, is_one, offset, sum};
use crate::fuzz::oracle::{Packet, read};
use enforcer_common::packet::{Part, Transport};

/// The longest ones (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4).
const LONGEST_V4: usize = 576;
const LONGEST_V6: usize = 1280;

impl Case<'_> {
    /// "Administratively prohibited", with as much of the packet as the length allows.
    pub(super) fn error(&self) -> Result<()> {
        let sent = self.packet()?;
        self.turned_around()?;
        let v4 = sent.source.is_ipv4();
        let (protocol, kind, most, header) = if v4 {
            (1, [3, 13], LONGEST_V4, 20)
        } else {
            (58, [1, 1], LONGEST_V6, 40)
        };
        let reading = read(self.left);
        let packet = reading.packet.as_ref().context("no packet")?;
        SlicedPacket::from_ethernet(self.left)?;
        let from = self.world.own(sent.source).unwrap_or(sent.destination);
        ensure!(
            (packet.source, packet.destination) == (from, sent.source),
            "addresses"
        );
        ensure!(
            packet.protocol == protocol && packet.part == Part::Whole,
            "protocol"
        );
        ensure!(packet.hop_limit == 64, "hop limit");
        check_header(reading.network, from)?;
        ensure!(
            header + packet.body.len() == reading.network.len(),
            "length"
        );
        ensure!(reading.network.len() <= most, "longer than an error may be");
        ensure!(
            packet.body[..2] == kind && packet.body[4..8] == [0; 4],
            "type and code"
        );
        ensure!(sum(packet) == 0, "checksum");
        let quotable = &self.sent.network[..self.sent_length()?];
        let quoted = quotable.len().min(most - header - 8) & !3;
        ensure!(packet.body[8..] == quotable[..quoted], "quote");
        self.may_be_answered(sent)
    }

    /// The length of the IP packet that was sent, without padding.
    fn sent_length(&self) -> Result<usize> {
        let body = self.packet()?.body;
        Ok(offset(self.sent.network, body) + body.len())
    }

    /// RFC 1812 section 4.3.2.7, RFC 4443 section 2.4(e).
    fn may_be_answered(&self, sent: &Packet<'_>) -> Result<()> {
        ensure!(sent.part != Part::Later, "a later fragment is answered");
        ensure!(
            is_one(sent.source) && is_one(sent.destination),
            "many are answered"
        );
        ensure!(self.frame[0] & 1 == 0, "a frame for many is answered");
        if let Transport::Icmp(kind) = sent.transport {
            let error = match sent.protocol {
                1 => matches!(kind, 3..=5 | 11 | 12),
                _ => kind < 128 || kind == 137,
            };
            ensure!(!error, "an error is answered");
        }
        Ok(())
    }
}
