//! TCP resets (RFC 9293 section 3.10.7.1).

use crate::{
    checksum::Sum,
    host::Address,
    packet::{Bytes, Packet, protocol, tcp_flag},
};

/// Length of a TCP header without options.
pub const TCP: usize = TCP_LENGTH as usize;
const TCP_LENGTH: u16 = 20;

/// What a packet's TCP checksum is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// Whole.
    Whole,
    /// The sum of the pseudo header alone: hardware, or the kernel on its behalf, is still to complete it. What
    /// is written over the packet must leave it at that.
    Partial,
}

/// What the checksum of a TCP segment is. A whole one that looks like a partial one comes once in 65,536 segments: the
/// reply then has a wrong checksum, and the next segment gets another.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "no packet is longer than 4 GiB"
)]
pub fn checksum_of<B: Bytes + ?Sized>(bytes: &B, packet: &Packet) -> Option<Checksum> {
    let tcp = bytes.header::<TCP>(packet.transport)?;
    let length = packet.end.wrapping_sub(packet.transport) as u32;
    let pseudo = Sum::default()
        .add_address(&packet.source)
        .add_address(&packet.destination)
        .add_word(u16::from(protocol::TCP))
        .add_double(length)
        .partial();
    let found = u16::from_be_bytes([tcp[16], tcp[17]]);
    Some(if found == pseudo {
        Checksum::Partial
    } else {
        Checksum::Whole
    })
}

/// A reset made out of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    source_port: u16,
    destination_port: u16,
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
}

impl Reset {
    /// The reset for the sender of `packet`, whose TCP header stands in `bytes`; `None` when that is not readable, or is
    /// itself a reset, which nothing answers.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "sequence numbers wrap")]
    pub fn answering<B: Bytes + ?Sized>(bytes: &B, packet: &Packet) -> Option<Self> {
        let tcp = bytes.header::<TCP>(packet.transport)?;
        let flags = tcp[13];
        if flags & tcp_flag::RST != 0 {
            return None;
        }
        let reply = Self {
            source_port: u16::from_be_bytes([tcp[2], tcp[3]]),
            destination_port: u16::from_be_bytes([tcp[0], tcp[1]]),
            sequence: 0,
            acknowledgement: 0,
            flags: tcp_flag::RST,
        };
        if flags & tcp_flag::ACK != 0 {
            let sequence = u32::from_be_bytes([tcp[8], tcp[9], tcp[10], tcp[11]]);
            return Some(Self { sequence, ..reply });
        }
        let header_length = usize::from(tcp[12] >> 4) * 4;
        let payload = packet.end.wrapping_sub(packet.transport + header_length);
        let opens = u32::from(flags & tcp_flag::SYN != 0);
        let closes = u32::from(flags & tcp_flag::FIN != 0);
        let acknowledgement = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]])
            .wrapping_add(payload as u32)
            .wrapping_add(opens + closes);
        Some(Self {
            acknowledgement,
            flags: tcp_flag::RST | tcp_flag::ACK,
            ..reply
        })
    }

    /// The reset that takes the place of `packet` on its way: its sender gives up the flow.
    #[inline(always)]
    pub fn instead_of<B: Bytes + ?Sized>(bytes: &B, packet: &Packet) -> Option<Self> {
        let tcp = bytes.header::<TCP>(packet.transport)?;
        Some(Self {
            source_port: u16::from_be_bytes([tcp[0], tcp[1]]),
            destination_port: u16::from_be_bytes([tcp[2], tcp[3]]),
            sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
            acknowledgement: u32::from_be_bytes([tcp[8], tcp[9], tcp[10], tcp[11]]),
            flags: tcp_flag::RST | tcp_flag::ACK,
        })
    }

    /// Writes the TCP header, for a packet between these addresses.
    #[inline(always)]
    pub fn write(
        &self,
        out: &mut [u8; TCP],
        source: &Address,
        destination: &Address,
        checksum: Checksum,
    ) {
        let length_and_flags = 0x5000 | u16::from(self.flags);
        let pseudo = Sum::default()
            .add_address(source)
            .add_address(destination)
            .add_word(u16::from(protocol::TCP))
            .add_word(TCP_LENGTH);
        let checksum = match checksum {
            Checksum::Partial => pseudo.partial(),
            Checksum::Whole => pseudo
                .add_word(self.source_port)
                .add_word(self.destination_port)
                .add_double(self.sequence)
                .add_double(self.acknowledgement)
                .add_word(length_and_flags)
                .finish(),
        };
        out[0..2].copy_from_slice(&self.source_port.to_be_bytes());
        out[2..4].copy_from_slice(&self.destination_port.to_be_bytes());
        out[4..8].copy_from_slice(&self.sequence.to_be_bytes());
        out[8..12].copy_from_slice(&self.acknowledgement.to_be_bytes());
        out[12..14].copy_from_slice(&length_and_flags.to_be_bytes());
        out[14..16].copy_from_slice(&[0, 0]);
        out[16..18].copy_from_slice(&checksum.to_be_bytes());
        out[18..20].copy_from_slice(&[0, 0]);
    }
}
