//! What the controller tells the datapath apart from hosts and roles.

use bytemuck::{Pod, Zeroable};

use crate::role::RoleId;

/// The only row of `SETTINGS`. Times are in jiffies.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Settings {
    /// How long an unknown host is held before it gets the role `unknown`.
    pub unknown_timeout: u64,
    /// How often one unknown host is asked about, and how often stops of one host are reported.
    pub report_every: u64,
    /// After this silence an unknown host counts as new again.
    pub forget_after: u64,
    /// 1: enforce; 0: monitor, which stops nothing.
    pub enforce: u8,
    /// The role of hosts whose source has gone silent.
    pub lease_expired: RoleId,
    /// 1 when the first datagram (not only a TCP SYN) of an unknown host may go out.
    pub first_datagram: u8,
    /// Zeros.
    pub pad: [u8; 5],
}

impl Settings {
    /// What holds before the controller has written any: everything unknown is stopped.
    pub const CLOSED: Self = Self {
        unknown_timeout: 0,
        report_every: 0,
        forget_after: 0,
        enforce: 1,
        lease_expired: RoleId::UNKNOWN,
        first_datagram: 0,
        pad: [0; 5],
    };
}

/// Row of `INTERFACES`: what the datapath needs to know of an interface.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct InterfaceRow {
    /// The zone of its hosts.
    pub zone: u32,
    /// The port on which the gateway's portal listens; 0 without a portal.
    pub portal_port: u16,
    /// 1 when `portal_v4` is set.
    pub has_v4: u8,
    /// 1 when `portal_v6` is set.
    pub has_v6: u8,
    /// The gateway's IPv4 address on this interface.
    pub portal_v4: [u8; 4],
    /// The gateway's IPv6 address on this interface.
    pub portal_v6: [u8; 16],
}

/// What a scope says of the addresses in it.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// They are no hosts of ours: packets pass, uncounted by host.
    Outside = 0,
    /// They must be decided.
    Checked = 1,
    /// They pass unchecked.
    Bypassed = 2,
    /// They are the gateway's own: no host may send from them.
    Own = 3,
}

impl Scope {
    /// The scope with this number; what is no number of a scope is [`Scope::Checked`], the safe one.
    #[inline(always)]
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Outside,
            2 => Self::Bypassed,
            3 => Self::Own,
            _ => Self::Checked,
        }
    }
}
