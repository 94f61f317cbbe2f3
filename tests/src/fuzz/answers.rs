//! What the datapath makes of a packet, as the independent library reads it.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, ensure};
use enforcer::datapath::Ran;
use etherparse::{Ipv4HeaderSlice, SlicedPacket, TransportSlice};

use super::{
    finding::hex,
    frames::checksum,
    kernel::Act,
    oracle::{Packet, Reading, read},
    world::World,
};
use enforcer_common::{
    counter::Hook,
    host::Address,
    packet::{Part, Transport},
};

/// The longest ICMP errors (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4).
const LONGEST_V4: usize = 576;
const LONGEST_V6: usize = 1280;

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
    let case = Case { hook, frame, left, sent: reading, world };
    let checked = match act {
        Act::Gone => Ok(()),
        Act::Nothing => case.unchanged(),
        Act::ToPortal => case.to_portal(),
        Act::FromPortal(server) => case.from_portal(server),
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
        ensure!(self.left == expected, "more than an address and a port was changed");
        Ok(())
    }

    fn to_portal(&self) -> Result<()> {
        let sent = self.packet()?;
        let port = self.world.plan.portal_port.context("there is no portal")?;
        let own = self.world.own(sent.destination).context("the gateway has no address")?;
        ensure!(sent.protocol == 6, "no TCP");
        self.rewritten(false, own, port)
    }

    fn from_portal(&self, server: Address) -> Result<()> {
        let portal = self.packet()?.source;
        ensure!(self.world.own(portal) == Some(portal), "not of the portal");
        self.rewritten(true, server.into(), 80)
    }

    /// The link header of a reply: addresses swapped, tags as they were.
    fn turned_around(&self) -> Result<()> {
        let link = self.link();
        let (to, from) = (&self.frame[..6], &self.frame[6..12]);
        ensure!(self.left[..6] == *from && self.left[6..12] == *to, "MAC addresses");
        ensure!(self.left[12..link] == self.frame[12..link], "tags");
        Ok(())
    }

    /// A segment without options or payload, whole and with right checksums, between these ends.
    fn bare_segment(&self, from: IpAddr, to: IpAddr, from_stack: bool) -> Result<Segment> {
        let sliced = SlicedPacket::from_ethernet(self.left)?;
        let header = if from.is_ipv4() { 20 } else { 40 };
        ensure!(self.left.len() == self.link() + header + 20, "length");
        let reading = read(self.left);
        let packet = reading.packet.as_ref().context("no packet")?;
        ensure!((packet.source, packet.destination) == (from, to), "addresses");
        ensure!(packet.part == Part::Whole && packet.body.len() == 20, "not whole");
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
        let expected = if from_stack && sent_partial { partial } else { whole };
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
        let word = |at: usize| u32::from_be_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
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
    fn reset(&self) -> Result<()> {
        let sent = self.packet()?;
        self.turned_around()?;
        let from_stack = self.hook != Hook::Xdp;
        let reset = self.bare_segment(sent.destination, sent.source, from_stack)?;
        let (answered, payload) = self.sent_segment()?;
        ensure!(reset.ports == (answered.ports.1, answered.ports.0), "ports");
        ensure!(answered.flags & 0x04 == 0, "a reset is answered");
        ensure!(is_one(sent.source), "to many");
        if answered.flags & 0x10 != 0 {
            ensure!(reset.flags == 0x04 && reset.sequence == answered.acknowledgement, "sequence");
        } else {
            let length = payload + u32::from(answered.flags >> 1 & 1) + u32::from(answered.flags & 1);
            let end = answered.sequence.wrapping_add(length);
            let right = reset.flags == 0x14 && reset.sequence == 0 && reset.acknowledgement == end;
            ensure!(right, "acknowledgement");
        }
        Ok(())
    }

    /// The same segment as a reset, for its receiver.
    fn close(&self) -> Result<()> {
        let sent = self.packet()?;
        ensure!(self.left[..self.link()] == self.frame[..self.link()], "the link header was changed");
        let reset = self.bare_segment(sent.source, sent.destination, true)?;
        let (replaced, payload) = self.sent_segment()?;
        ensure!(payload > 0 && replaced.flags & 0x16 == 0x10, "it carried nothing");
        ensure!(reset == Segment { flags: 0x14, ..replaced }, "{reset:?}");
        Ok(())
    }

    /// "Administratively prohibited", with as much of the packet as the length allows.
    fn error(&self) -> Result<()> {
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
        ensure!((packet.source, packet.destination) == (from, sent.source), "addresses");
        ensure!(packet.protocol == protocol && packet.part == Part::Whole, "protocol");
        ensure!(packet.hop_limit == 64, "hop limit");
        check_header(reading.network, from)?;
        ensure!(header + packet.body.len() == reading.network.len(), "length");
        ensure!(reading.network.len() <= most, "longer than an error may be");
        ensure!(packet.body[..2] == kind && packet.body[4..8] == [0; 4], "type and code");
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
        ensure!(is_one(sent.source) && is_one(sent.destination), "many are answered");
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    ports: (u16, u16),
    flags: u8,
    sequence: u32,
    acknowledgement: u32,
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
    let Packet { source, destination, protocol, body, .. } = *packet;
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
