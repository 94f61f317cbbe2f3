//! A frame at hand in the kernel, and what was judged of it.

use bytemuck::{Pod, Zeroable};

use crate::{
    decide::{Reason, Standing, Verdict},
    host::Host,
    packet::{Claim, Kind, Packet, Refusal},
    role::RoleId,
};

/// The row of `SEEN`, where a kernel program keeps the frame at hand: with all that is inlined the 512 bytes of its stack
/// would not do, and the programs that carry out verdicts find it there.
#[repr(C)]
pub struct Seen {
    /// What was judged; in front, where user space finds it after a test run.
    pub judged: JudgedRow,
    /// Whose frame it is, when `judged.has_host` says so.
    pub host: Host,
    /// What is known of that host.
    pub standing: Standing,
    /// The packet.
    pub packet: Packet,
    /// What it claims, if it does.
    pub claim: Claim,
    /// When an unknown host that is to be asked about was first seen, in jiffies; 0 when nobody is asked.
    pub ask_since: u64,
    /// What the frame turned out to be.
    pub sort: Sort,
}

/// What a frame turned out to be.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// See [`Kind::Ip`].
    Ip = 0,
    /// See [`Kind::Arp`].
    Arp = 1,
    /// See [`Kind::Link`].
    Link = 2,
    /// See [`Refusal::Malformed`].
    Malformed = 3,
    /// See [`Refusal::TooDeep`].
    TooDeep = 4,
    /// See [`Refusal::NotIp`].
    NotIp = 5,
    /// See [`Kind::Chain`].
    Chain = 6,
    /// Of a VLAN that the interface does not allow.
    OfAnotherVlan = 7,
}

impl Sort {
    /// What the parser says.
    #[inline(always)]
    pub const fn of(kind: Result<Kind, Refusal>) -> Self {
        match kind {
            Ok(Kind::Ip) => Self::Ip,
            Ok(Kind::Arp) => Self::Arp,
            Ok(Kind::Link) => Self::Link,
            Ok(Kind::Chain) => Self::Chain,
            Err(Refusal::Malformed) => Self::Malformed,
            Err(Refusal::TooDeep) => Self::TooDeep,
            Err(Refusal::NotIp) => Self::NotIp,
        }
    }
}

/// What was judged of a frame, in the numbers of the enumerations that the fields name.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct JudgedRow {
    /// [`Verdict`].
    pub verdict: u8,
    /// The [`Verdict`] that was carried out in the end.
    pub done: u8,
    /// [`Reason`].
    pub reason: u8,
    /// The role.
    pub role: RoleId,
    /// 1 when the stop was only counted.
    pub monitored: u8,
    /// 1 when the frame is of a host that can be named.
    pub has_host: u8,
    /// Zeros.
    pub pad: [u8; 2],
    /// The zone of the host.
    pub zone: u32,
}

impl JudgedRow {
    /// The verdict that was carried out.
    #[inline(always)]
    pub fn done(&self) -> Verdict {
        Verdict::from_number(self.done)
    }

    /// The verdict.
    #[inline(always)]
    pub fn verdict(&self) -> Verdict {
        Verdict::from_number(self.verdict)
    }

    /// The reason; `None` for a number that is none.
    pub fn reason(&self) -> Option<Reason> {
        Reason::ALL
            .get(usize::from(self.reason))
            .map(|(reason, _)| *reason)
    }
}
