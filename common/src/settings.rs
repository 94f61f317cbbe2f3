//! What the controller tells the datapath apart from hosts and roles.

use bytemuck::{Pod, Zeroable};

use crate::{
    bucket::Rate,
    host::{Address, Family},
    role::RoleId,
};

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
    /// After this silence a flow to the portal is forgotten.
    pub portal_idle: u64,
    /// How often each CPU answers stopped packets.
    pub replies: Rate,
    /// How often each CPU asks about unknown hosts; those above that are held.
    pub questions: Rate,
    /// 1: enforce; 0: monitor, which stops nothing.
    pub enforce: u8,
    /// The role of hosts whose source has gone silent.
    pub lease_expired: RoleId,
    /// 1 when the first datagram (not only a TCP SYN) of an unknown host may go out.
    pub first_datagram: u8,
    /// 1 when decisions go on while their source is silent, instead of `lease_expired`.
    pub lease_holds: u8,
    /// [`Undecided`]: whether hosts that nothing is decided of pass.
    pub undecided: u8,
    /// Zeros.
    pub pad: [u8; 3],
}

/// Whether hosts that nothing is decided of pass.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undecided {
    /// No.
    #[default]
    Stopped = 0,
    /// Once nobody has answered in time.
    PassLater = 1,
    /// At once.
    Pass = 2,
}

impl Undecided {
    /// The one with this number; `Stopped`, the safe one, when there is none.
    #[inline(always)]
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::PassLater,
            2 => Self::Pass,
            _ => Self::Stopped,
        }
    }
}

impl Settings {
    /// What holds before the controller has written any: everything unknown is stopped.
    pub const CLOSED: Self = Self {
        unknown_timeout: 0,
        report_every: 0,
        forget_after: 0,
        portal_idle: 0,
        replies: Rate::NEVER,
        questions: Rate::NEVER,
        enforce: 1,
        lease_expired: RoleId::UNKNOWN,
        first_datagram: 0,
        lease_holds: 0,
        undecided: Undecided::Stopped as u8,
        pad: [0; 3],
    };
}

/// Row of `INTERFACES`: what the datapath needs to know of an interface.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct InterfaceRow {
    /// The zone of its hosts that are in no VLAN.
    pub zone: u32,
    /// The port on which the gateway's portal listens; 0 without a portal.
    pub portal_port: u16,
    /// 1 when `own_v4` is set.
    pub has_v4: u8,
    /// 1 when `own_v6` is set.
    pub has_v6: u8,
    /// The gateway's IPv4 address on this interface.
    pub own_v4: [u8; 4],
    /// The gateway's IPv6 address on this interface.
    pub own_v6: [u8; 16],
    flags: u32,
}

impl InterfaceRow {
    /// Routers on the side of the hosts may advertise themselves.
    pub const ROUTERS: u32 = 1;
    /// DHCP servers on the side of the hosts may answer.
    pub const DHCP_SERVERS: u32 = 1 << 1;
    /// Frames without a VLAN are dropped.
    pub const TAGGED_ONLY: u32 = 1 << 2;

    /// The same row with these bits.
    #[must_use]
    pub const fn with(self, flags: u32) -> Self {
        Self { flags, ..self }
    }

    /// Whether the row has this bit.
    #[inline(always)]
    pub const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// The gateway's own address of this family on the interface.
    #[inline(always)]
    pub const fn own(&self, family: Family) -> Option<Address> {
        match family {
            Family::V4 if self.has_v4 != 0 => Some(Address::v4(self.own_v4)),
            Family::V6 if self.has_v6 != 0 => Some(Address::v6(self.own_v6)),
            _ => None,
        }
    }
}

/// Key of `VLAN_PAIRS`: two VLANs of an interface, one inside the other.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct VlanPair {
    /// The row of the interface in `INTERFACES`.
    pub interface: u32,
    /// The outer VLAN.
    pub outer: u16,
    /// The inner VLAN.
    pub inner: u16,
}

/// Row of `VLANS`, and value of `VLAN_PAIRS`: the zone of the hosts in a VLAN, if frames of it are allowed.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct VlanZone(u32);

impl VlanZone {
    /// Frames of the VLAN are dropped.
    pub const REFUSED: Self = Self(0);

    /// Its hosts are of this zone.
    pub const fn of(zone: u32) -> Self {
        Self(zone + 1)
    }

    /// The zone.
    #[inline(always)]
    pub const fn zone(self) -> Option<u32> {
        self.0.checked_sub(1)
    }
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
