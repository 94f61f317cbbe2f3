//! Bounded access to the bytes of a packet: with the maps, the only place that dereferences what the
//! kernel hands over.

use core::arch::asm;

use aya_ebpf::programs::{TcContext, XdpContext};
use enforcer_common::packet::Bytes;

/// No header is looked for behind this offset: it keeps the verifier's ranges small, and a chain of
/// headers that long is no honest packet.
const LAST_OFFSET: usize = 0x3fff;

/// How much of a packet must be readable in one piece: two tags, IPv6, eight small extension
/// headers, TCP with options.
const LINEAR: u32 = 256;

/// The part of a packet that is readable in one piece, from its Ethernet header on.
pub struct Cursor {
    start: usize,
    end: usize,
    whole: usize,
    stripped: Option<u16>,
}

impl Cursor {
    /// A packet at the XDP hook.
    #[inline(always)]
    pub fn xdp(context: &XdpContext) -> Self {
        let (start, end) = (context.data(), context.data_end());
        Self {
            start,
            end,
            whole: end - start,
            stripped: None,
        }
    }

    /// The same packet, of which this many bytes are there in all.
    #[inline(always)]
    pub fn of(self, whole: usize) -> Self {
        Self { whole, ..self }
    }

    /// A packet at a TC hook. Pages and segments that hang behind the linear part are joined as far
    /// as headers may reach, since direct access sees the linear part alone.
    #[inline(always)]
    pub fn tc(context: &TcContext) -> Self {
        let whole = context.len();
        let wanted = if whole < LINEAR { whole } else { LINEAR };
        if context.data() + wanted as usize > context.data_end() {
            // Without memory the headers stay out of reach, and the parser calls it malformed.
            let _ = context.pull_data(wanted);
        }
        // SAFETY: the kernel passes a valid `__sk_buff`, and the verifier checks the accesses.
        let (present, tag) = unsafe {
            let skb = context.skb.skb;
            ((*skb).vlan_present, (*skb).vlan_tci)
        };
        Self {
            start: context.data(),
            end: context.data_end(),
            whole: whole as usize,
            stripped: if present != 0 { Some(tag as u16) } else { None },
        }
    }

    /// The length of the whole packet, in bytes.
    #[inline(always)]
    pub fn whole(&self) -> usize {
        self.whole
    }

    /// The `N` bytes at `offset`, for writing.
    #[inline(always)]
    pub fn header_mut<const N: usize>(&mut self, offset: usize) -> Option<&mut [u8; N]> {
        let pointer = self.at::<N>(offset)?;
        // SAFETY: as in `header`; `&mut self` makes it the only access through this cursor.
        Some(unsafe { &mut *(pointer as *mut [u8; N]) })
    }

    #[inline(always)]
    fn at<const N: usize>(&self, offset: usize) -> Option<usize> {
        if offset > LAST_OFFSET {
            return None;
        }
        let mut pointer = offset;
        // The verifier knows the bounds of a register, not of the value: Linux 6.1 forgets them when
        // the compiler keeps the offset on the stack and reads it once to compare and once to add. So
        // it is bounded again, by a mask that changes nothing, where it is added. The sum comes out of
        // this block so that LLVM dereferences the register that was compared with the end.
        // SAFETY: arithmetic on registers.
        unsafe {
            asm!(
                "{pointer} &= {last}",
                "{pointer} += {start}",
                pointer = inout(reg) pointer,
                start = in(reg) self.start,
                last = const LAST_OFFSET,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        if pointer + N > self.end {
            None
        } else {
            Some(pointer)
        }
    }
}

/// Loads a word of a header, when the condition on its length holds.
///
/// Headers lie at any address, and the compiler loads what may be misaligned byte by byte. The kernel
/// allows wide loads from packets wherever the processor does (`check_pkt_ptr_alignment` in
/// kernel/bpf/verifier.c), so they are written out. Allowing them to the compiler as a whole would have
/// it join stores on the stack too, where the kernel never does.
macro_rules! load {
    ($header:ident, $pointer:ident, $size:literal, $word:ty, $at:expr, $when:expr) => {
        if $when {
            // Whole registers: a narrow load clears the rest, and not every target has narrow ones.
            let word: u64;
            // SAFETY: `at` compared the end of the header with the end of the packet, which the
            // verifier insists on, and the word lies inside the header.
            unsafe {
                asm!(
                    concat!("{word} = *(", $size, " *)({pointer} + {at})"),
                    word = out(reg) word,
                    pointer = in(reg) $pointer,
                    at = const $at,
                    options(pure, readonly, nostack, preserves_flags),
                );
            }
            $header[$at..$at + size_of::<$word>()].copy_from_slice(&(word as $word).to_ne_bytes());
        }
    };
}

impl Bytes for Cursor {
    #[inline(always)]
    fn stripped_tag(&self) -> Option<u16> {
        self.stripped
    }

    #[inline(always)]
    fn length(&self) -> usize {
        self.whole
    }

    #[inline(always)]
    fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let pointer = self.at::<N>(offset)?;
        const { assert!(N < 48, "the loads below reach no further") };
        let mut header = [0; N];
        load!(header, pointer, "u64", u64, 0, N >= 8);
        load!(header, pointer, "u64", u64, 8, N >= 16);
        load!(header, pointer, "u64", u64, 16, N >= 24);
        load!(header, pointer, "u64", u64, 24, N >= 32);
        load!(header, pointer, "u64", u64, 32, N >= 40);
        load!(header, pointer, "u32", u32, N & !7, N & 4 != 0);
        load!(header, pointer, "u16", u16, N & !3, N & 2 != 0);
        load!(header, pointer, "u8", u8, N & !1, N & 1 != 0);
        Some(header)
    }
}
