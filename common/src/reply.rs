//! Replies that the datapath sends in its own name.
//!
//! Headers are written where they belong, in the packet: a kernel program has no stack to build them
//! on.

use crate::{
    checksum::Sum,
    host::Address,
    packet::{Bytes, Packet, protocol, tcp_flag},
};

/// Length of a TCP header without options.
pub const TCP: usize = TCP_LENGTH as usize;
/// Length of an IPv4 header without options.
pub const IPV4: usize = IPV4_LENGTH as usize;
/// Length of an IPv6 header.
pub const IPV6: usize = 40;

const TCP_LENGTH: u16 = 20;
const IPV4_LENGTH: u16 = 20;
const HOP_LIMIT: u8 = 64;
const DONT_FRAGMENT: u16 = 0x4000;

/// A TCP reset that answers a segment (RFC 9293 section 3.10.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    source_port: u16,
    destination_port: u16,
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
}

impl Reset {
    /// The reset for `packet`, whose TCP header stands in `bytes`; `None` when that is not readable, or is
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

    /// Writes the TCP header, for a packet between these addresses.
    #[inline(always)]
    pub fn write(&self, out: &mut [u8; TCP], source: &Address, destination: &Address) {
        let length_and_flags = 0x5000 | u16::from(self.flags);
        let checksum = Sum::default()
            .add_address(source)
            .add_address(destination)
            .add_word(u16::from(protocol::TCP))
            .add_word(TCP_LENGTH)
            .add_word(self.source_port)
            .add_word(self.destination_port)
            .add_double(self.sequence)
            .add_double(self.acknowledgement)
            .add_word(length_and_flags)
            .finish();
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

/// Writes the IPv4 header of a packet that carries a bare TCP header.
#[inline(always)]
pub fn write_ipv4(out: &mut [u8; IPV4], source: &Address, destination: &Address) {
    let length = IPV4_LENGTH + TCP_LENGTH;
    let hops = u16::from_be_bytes([HOP_LIMIT, protocol::TCP]);
    let checksum = Sum::default()
        .add_word(0x4500)
        .add_word(length)
        .add_word(DONT_FRAGMENT)
        .add_word(hops)
        .add_bytes(source.last_bytes())
        .add_bytes(destination.last_bytes())
        .finish();
    out[0..2].copy_from_slice(&[0x45, 0]);
    out[2..4].copy_from_slice(&length.to_be_bytes());
    out[4..6].copy_from_slice(&[0, 0]);
    out[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
    out[8..10].copy_from_slice(&hops.to_be_bytes());
    out[10..12].copy_from_slice(&checksum.to_be_bytes());
    out[12..16].copy_from_slice(&source.last_bytes());
    out[16..20].copy_from_slice(&destination.last_bytes());
}

/// Writes the IPv6 header of a packet that carries a bare TCP header.
#[inline(always)]
pub fn write_ipv6(out: &mut [u8; IPV6], source: &Address, destination: &Address) {
    out[0..4].copy_from_slice(&[0x60, 0, 0, 0]);
    out[4..6].copy_from_slice(&TCP_LENGTH.to_be_bytes());
    out[6..8].copy_from_slice(&[protocol::TCP, HOP_LIMIT]);
    out[8..24].copy_from_slice(&source.mapped());
    out[24..40].copy_from_slice(&destination.mapped());
}
