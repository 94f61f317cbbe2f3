//! TCP resets, for senders and for far ends.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use etherparse::{SlicedPacket, TransportSlice};

use super::{Case, check_header, is_one, sum};
use crate::fuzz::{frames::checksum, oracle::read};
use enforcer_common::{
    counter::Hook,
    packet::{Part, Transport},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    ports: (u16, u16),
    flags: u8,
    sequence: u32,
    acknowledgement: u32,
}

impl Case<'_> {
    /// A segment without options or payload, whole and with right checksums, between these ends.
    fn bare_segment(&self, from: IpAddr, to: IpAddr, from_stack: bool) -> Result<Segment> {
        let sliced = SlicedPacket::from_ethernet(self.left)?;
        let header = if from.is_ipv4() { 20 } else { 40 };
        ensure!(self.left.len() == self.link() + header + 20, "length");
        let reading = read(self.left);
        let packet = reading.packet.as_ref().context("no packet")?;
        ensure!(
            (packet.source, packet.destination) == (from, to),
            "addresses"
        );
        ensure!(
            packet.part == Part::Whole && packet.body.len() == 20,
            "not whole"
        );
        check_header(reading.network, from)?;
        let Some(TransportSlice::Tcp(tcp)) = sliced.transport else {
            anyhow::bail!("no TCP");
        };
        ensure!(packet.hop_limit == 64, "hop limit");
        let whole = sum(packet) == 0;
        let partial = tcp.checksum() == !checksum(from, to, 6, 20, &[]);
        // What the kernel knows with a checksum that is still to be completed must be left at that.
        let sent = self.packet()?;
        let pseudo = !checksum(sent.source, sent.destination, 6, sent.body.len(), &[]);
        let sent_partial = sent.body[16..18] == pseudo.to_be_bytes();
        let expected = if from_stack && sent_partial {
            partial
        } else {
            whole
        };
        ensure!(expected, "the checksum of TCP");
        Ok(Segment {
            ports: (tcp.source_port(), tcp.destination_port()),
            flags: packet.body[13],
            sequence: tcp.sequence_number(),
            acknowledgement: tcp.acknowledgment_number(),
        })
    }

    fn sent_segment(&self) -> Result<(Segment, u32)> {
        let body = self.packet()?.body;
        let word =
            |at: usize| u32::from_be_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
        let Transport::Tcp(ports, _) = self.packet()?.transport else {
            anyhow::bail!("no TCP was sent");
        };
        let segment = Segment {
            ports: (ports.source, ports.destination),
            flags: body[13],
            sequence: word(4),
            acknowledgement: word(8),
        };
        let payload = body.len() - usize::from(body[12] >> 4) * 4;
        Ok((segment, u32::try_from(payload)?))
    }

    /// RFC 9293 section 3.10.7.1.
    pub(super) fn reset(&self) -> Result<()> {
        let sent = self.packet()?;
        self.turned_around()?;
        let from_stack = self.hook != Hook::Xdp;
        let reset = self.bare_segment(sent.destination, sent.source, from_stack)?;
        let (answered, payload) = self.sent_segment()?;
        ensure!(reset.ports == (answered.ports.1, answered.ports.0), "ports");
        ensure!(answered.flags & 0x04 == 0, "a reset is answered");
        ensure!(is_one(sent.source), "to many");
        if answered.flags & 0x10 != 0 {
            ensure!(
                reset.flags == 0x04 && reset.sequence == answered.acknowledgement,
                "sequence"
            );
        } else {
            let length =
                payload + u32::from(answered.flags >> 1 & 1) + u32::from(answered.flags & 1);
            let end = answered.sequence.wrapping_add(length);
            let right = reset.flags == 0x14 && reset.sequence == 0 && reset.acknowledgement == end;
            ensure!(right, "acknowledgement");
        }
        Ok(())
    }

    /// The same segment as a reset, for its receiver.
    pub(super) fn close(&self) -> Result<()> {
        let sent = self.packet()?;
        ensure!(
            self.left[..self.link()] == self.frame[..self.link()],
            "the link header was changed"
        );
        let reset = self.bare_segment(sent.source, sent.destination, true)?;
        let (replaced, payload) = self.sent_segment()?;
        ensure!(
            payload > 0 && replaced.flags & 0x16 == 0x10,
            "it carried nothing"
        );
        ensure!(
            reset
                == Segment {
                    flags: 0x14,
                    ..replaced
                },
            "{reset:?}"
        );
        Ok(())
    }
}
