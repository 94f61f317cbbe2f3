//! A packet gets another address and port.

use aya_ebpf::{bindings::BPF_F_PSEUDO_HDR, programs::TcContext};
use enforcer_common::{
    checksum,
    host::{Address, Family},
    packet::{Packet, Part},
};

use crate::cursor::Cursor;

/// Offset of the checksum in a TCP header.
const TCP_CHECKSUM: usize = 16;

/// Which of the two ends of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Source,
    Destination,
}

/// What is changed: one end of a TCP segment, or of a later fragment of one, which has no ports.
pub struct Rewrite<'a> {
    pub packet: &'a Packet,
    pub end: End,
    pub old: &'a Address,
    pub new: &'a Address,
    pub old_port: u16,
    pub new_port: u16,
}

impl Rewrite<'_> {
    #[inline(always)]
    fn address(&self) -> usize {
        let first = match self.old.family() {
            Family::V4 => 12,
            Family::V6 => 8,
        };
        let size = match self.old.family() {
            Family::V4 => 4,
            Family::V6 => 16,
        };
        let skip = if self.end == End::Source { 0 } else { size };
        self.packet.network + first + skip
    }

    #[inline(always)]
    fn port(&self) -> usize {
        self.packet.transport + if self.end == End::Source { 0 } else { 2 }
    }
}

/// Writes into the packet, whose checksums are whole.
#[inline(always)]
pub fn directly(cursor: &mut Cursor, rewrite: &Rewrite) -> Option<()> {
    let Rewrite {
        packet, old, new, ..
    } = *rewrite;
    match old.family() {
        Family::V4 => {
            let sum = cursor.header_mut::<2>(packet.network + 10)?;
            *sum = checksum::replaced_address(u16::from_be_bytes(*sum), old, new).to_be_bytes();
            *cursor.header_mut::<4>(rewrite.address())? = new.last_bytes();
        }
        Family::V6 => *cursor.header_mut::<16>(rewrite.address())? = new.mapped(),
    }
    if packet.part == Part::Later {
        return Some(());
    }
    let sum = cursor.header_mut::<2>(packet.transport + TCP_CHECKSUM)?;
    let changed = checksum::replaced_address(u16::from_be_bytes(*sum), old, new);
    let changed = checksum::replaced_word(changed, rewrite.old_port, rewrite.new_port);
    *sum = changed.to_be_bytes();
    *cursor.header_mut::<2>(rewrite.port())? = rewrite.new_port.to_be_bytes();
    Some(())
}

/// By the helpers, which know of checksums that hardware is still to complete: direct writes would break them.
#[inline(always)]
pub fn by_helpers(context: &TcContext, rewrite: &Rewrite) -> Result<(), i64> {
    let Rewrite {
        packet, old, new, ..
    } = *rewrite;
    let has_ports = packet.part != Part::Later;
    let sum = packet.transport + TCP_CHECKSUM;
    let pseudo = u64::from(BPF_F_PSEUDO_HDR) | 4;
    match old.family() {
        Family::V4 => {
            let (from, to) = (word(old.last_bytes()), word(new.last_bytes()));
            if has_ports {
                context.l4_csum_replace(sum, from, to, pseudo)?;
            }
            context.l3_csum_replace(packet.network + 10, from, to, 4)?;
            context.store(rewrite.address(), &new.last_bytes(), 0)?;
        }
        Family::V6 => {
            let (from, to) = (old.words(), new.words());
            if has_ports {
                for at in 0..4 {
                    context.l4_csum_replace(sum, word(from[at]), word(to[at]), pseudo)?;
                }
            }
            context.store(rewrite.address(), &new.mapped(), 0)?;
        }
    }
    if !has_ports {
        return Ok(());
    }
    let port = |port: u16| u64::from(u16::from_ne_bytes(port.to_be_bytes()));
    context.l4_csum_replace(sum, port(rewrite.old_port), port(rewrite.new_port), 2)?;
    context.store(rewrite.port(), &rewrite.new_port.to_be_bytes(), 0)
}

/// A word as it lies in the packet, which is what the helpers take.
#[inline(always)]
fn word(bytes: [u8; 4]) -> u64 {
    u64::from(u32::from_ne_bytes(bytes))
}
