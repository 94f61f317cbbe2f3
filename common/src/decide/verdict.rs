//! What happens to a packet, and why.

use crate::packet::Refusal;

/// What happens to a packet.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass = 0,
    /// It is dropped.
    Drop = 1,
    /// It is dropped and its sender is told.
    Reject = 2,
    /// It goes to the gateway's portal.
    Redirect = 3,
    /// It becomes the reset that tells the far end that the flow is over.
    Close = 4,
}

impl Verdict {
    /// The verdict with this number; [`Verdict::Drop`], the safe one, when there is none.
    #[inline(always)]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Pass,
            2 => Self::Reject,
            3 => Self::Redirect,
            4 => Self::Close,
            _ => Self::Drop,
        }
    }

    /// Every verdict with the word for it, in the order of their numbers.
    pub const ALL: [(Self, &str); 5] = [
        (Self::Pass, "pass"),
        (Self::Drop, "drop"),
        (Self::Reject, "reject"),
        (Self::Redirect, "redirect"),
        (Self::Close, "close"),
    ];
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// Why a packet has its verdict.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// Every reason with the word for it, in the order of their numbers.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, $word),)+];
        }
    };
}

reasons! {
    /// The role lets everything pass that its rules do not deny.
    RoleAllows = "role_allows",
    /// The role stops everything that its rules do not allow.
    RoleDenies = "role_denies",
    /// A rule of the role allows it.
    RuleAllows = "rule_allows",
    /// A rule of the role denies it.
    RuleDenies = "rule_denies",
    /// The address is in a bypassed scope.
    Bypassed = "bypassed",
    /// The address is in no scope.
    Outside = "outside",
    /// It belongs to a service that every host reaches, whatever its role.
    OwnService = "own_service",
    /// It opens a flow of an unknown host whose answer is awaited.
    FirstPacket = "first_packet",
    /// The answer about the unknown host is awaited.
    Held = "held",
    /// No answer came in time: the role `unknown` stops it, or it passes since such hosts are to.
    NoAnswer = "no_answer",
    /// The source that decided of the host has been silent for longer than its lease.
    LeaseExpired = "lease_expired",
    /// Cut short, lengths that lie, or headers that overlap.
    Malformed = "malformed",
    /// More VLAN tags or extension headers than the bound.
    TooDeep = "too_deep",
    /// An Ethernet type that carries neither IP nor ARP.
    NotIp = "not_ip",
    /// A source address that no host may have.
    Martian = "martian",
    /// A protocol between neighbours: ARP, EAPOL, LLDP.
    Link = "link",
    /// A destination of many, sent to hosts by the gateway.
    Multicast = "multicast",
    /// It is not of the host that it says to be of: the MAC address is another one.
    Spoofed = "spoofed",
    /// A VLAN that is not allowed on the interface.
    Vlan = "vlan",
    /// A router advertisement or redirect from the side of the hosts.
    RogueRouter = "rogue_router",
    /// The answer of a DHCP server on the side of the hosts.
    RogueDhcp = "rogue_dhcp",
}

impl From<Refusal> for Reason {
    #[inline(always)]
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed => Self::Malformed,
            Refusal::TooDeep => Self::TooDeep,
            Refusal::NotIp => Self::NotIp,
        }
    }
}
