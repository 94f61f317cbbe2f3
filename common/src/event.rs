//! Events: what the datapath tells the controller, through a ring buffer.

use bytemuck::{Pod, Zeroable};

use crate::{host::HostKey, role::RoleId};

/// What an event is about.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An unknown host has sent a packet.
    Unknown = 0,
    /// Packets of a host were stopped, or would have been. The first of a host, then once a second.
    Stop = 1,
    /// Packets were stopped that say to be of a host and are not: the same, with the reason
    /// [`Spoofed`](crate::decide::Reason::Spoofed).
    Spoof = 2,
    /// A request of a host goes to the portal.
    Portal = 3,
}

/// One event. Its numbers are those of the enumerations that the fields name.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Event {
    /// When, in jiffies.
    pub at: u64,
    /// For a stop: packets of this host that were stopped since the last event.
    pub count: u64,
    /// The host.
    pub host: HostKey,
    /// The other side, as a mapped address.
    pub remote: [u8; 16],
    /// The interface, as the kernel numbers it.
    pub interface: u32,
    /// The host's port; 0 where there is none.
    pub host_port: u16,
    /// The other side's port; 0 where there is none.
    pub remote_port: u16,
    /// The sender's MAC address.
    pub mac: [u8; 6],
    /// IP protocol number.
    pub protocol: u8,
    /// [`Kind`].
    pub kind: u8,
    /// [`Hook`](crate::counter::Hook).
    pub hook: u8,
    /// [`Verdict`](crate::decide::Verdict).
    pub verdict: u8,
    /// [`Reason`](crate::decide::Reason).
    pub reason: u8,
    /// The role.
    pub role: RoleId,
    /// 1 when the stop was only counted.
    pub monitored: u8,
    /// Zero.
    pub pad: u8,
    /// The VLAN of the frame, the innermost of two; 0 where there is none.
    pub vlan: u16,
}
