//! ICMP "communication administratively prohibited" (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1).

use super::{IPV4, IPV6};
use crate::{
    checksum::Sum,
    host::{Address, Family},
    packet::{Packet, protocol},
};

/// Length of an ICMP header.
pub const ICMP: usize = 8;

/// The longest error message: RFC 1812 section 4.3.2.3, RFC 4443 section 2.4(c).
const LONGEST_V4: usize = 576;
const LONGEST_V6: usize = 1280;

/// Type and code.
const V4: [u8; 2] = [3, 13];
const V6: [u8; 2] = [1, 1];

/// An error message that quotes the packet that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prohibited {
    family: Family,
    /// Bytes of the packet that it quotes: a multiple of four, so that they are summed in whole words.
    pub quoted: usize,
}

impl Prohibited {
    /// The most bytes that are quoted.
    pub const LONGEST: usize = LONGEST_V6 - IPV6 - ICMP;

    /// The message that answers `packet`.
    #[inline(always)]
    pub fn answering(packet: &Packet) -> Self {
        let family = packet.source.family();
        let most = match family {
            Family::V4 => LONGEST_V4 - IPV4 - ICMP,
            Family::V6 => LONGEST_V6 - IPV6 - ICMP,
        };
        let length = packet.end.wrapping_sub(packet.network);
        let quoted = if length < most { length } else { most } & !3;
        Self { family, quoted }
    }

    /// The protocol that the IP header names.
    #[inline(always)]
    pub const fn protocol(&self) -> u8 {
        match self.family {
            Family::V4 => protocol::ICMP,
            Family::V6 => protocol::ICMPV6,
        }
    }

    /// Bytes behind the IP header.
    #[inline(always)]
    pub const fn length(&self) -> usize {
        ICMP + self.quoted
    }

    /// Writes the ICMP header, for a message between these addresses; `quote` is the sum of what is quoted.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "no longer than 1280 bytes")]
    pub fn write(&self, out: &mut [u8; ICMP], source: &Address, destination: &Address, quote: Sum) {
        let ([kind, code], sum) = match self.family {
            Family::V4 => (V4, quote),
            Family::V6 => (
                V6,
                quote
                    .add_address(source)
                    .add_address(destination)
                    .add_word(self.length() as u16)
                    .add_word(u16::from(protocol::ICMPV6)),
            ),
        };
        let checksum = sum.add_word(u16::from_be_bytes([kind, code])).finish();
        out[0..2].copy_from_slice(&[kind, code]);
        out[2..4].copy_from_slice(&checksum.to_be_bytes());
        out[4..8].copy_from_slice(&[0; 4]);
    }
}
