//! Roles and their rules.

use bytemuck::{Pod, Zeroable};

use crate::limits;

/// The enforcement class of a host. A name elsewhere, a number here.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
pub struct RoleId(pub u8);

impl RoleId {
    /// Nothing is decided of the host.
    pub const UNKNOWN: Self = Self(0);
    /// The host complies.
    pub const AUTHORIZED: Self = Self(1);
    /// The host does not comply: it reaches what repairs it, and the portal.
    pub const QUARANTINE: Self = Self(2);
    /// The host is stopped altogether.
    pub const DENIED: Self = Self(3);
    /// The host is not checked.
    pub const BYPASS: Self = Self(4);
    /// No host's role: its rules are the services that everyone reaches, whatever their role.
    pub const EVERYONE: Self = Self(63);
    /// The first number for roles of the configuration; the last is the one before `EVERYONE`.
    pub const FIRST_OWN: Self = Self(8);

    /// The roles that every gateway has, with their names.
    pub const BUILT_IN: [(Self, &str); 5] = [
        (Self::UNKNOWN, "unknown"),
        (Self::AUTHORIZED, "authorized"),
        (Self::QUARANTINE, "quarantine"),
        (Self::DENIED, "denied"),
        (Self::BYPASS, "bypass"),
    ];
}

/// Row of `ROLES`: what a role means when none of its rules matches.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct RoleRow {
    flags: u32,
}

impl RoleRow {
    /// Packets pass unless a rule denies them.
    pub const ALLOW: u32 = 1;
    /// The role has rules; without this bit they are not looked up.
    pub const RULES: u32 = 1 << 1;
    /// HTTP that is stopped goes to the portal.
    pub const PORTAL: u32 = 1 << 2;
    /// TCP that is stopped is answered with a reset.
    pub const REJECT: u32 = 1 << 3;
    /// Stops of this role are counted and let pass.
    pub const MONITOR: u32 = 1 << 4;

    /// A row with these bits.
    pub const fn new(flags: u32) -> Self {
        Self { flags }
    }

    /// Whether the row has this bit.
    #[inline(always)]
    pub const fn has(self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// One rule: a protocol and a range of remote ports, allowed or denied.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Rule {
    /// First remote port.
    pub first_port: u16,
    /// Last remote port. A rule for every port has 0 and 65535 and `any_port` 1.
    pub last_port: u16,
    /// IP protocol number; [`Rule::ANY_PROTOCOL`] for all.
    pub protocol: u8,
    /// 1: allow, 0: deny.
    pub allow: u8,
    /// 1 when the ports do not matter, so that packets without ports match too.
    pub any_port: u8,
    /// Zero.
    pub pad: u8,
}

impl Rule {
    /// Matches every protocol. 255 is reserved by IANA and never on the wire.
    pub const ANY_PROTOCOL: u8 = 255;

    /// Whether a packet of this protocol and remote port ([`NO_PORT`] where it has none) is meant.
    #[inline(always)]
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "read where it lies: a copy costs the verifier more"
    )]
    fn matches(&self, protocol: u8, port: u32) -> bool {
        if self.protocol != Self::ANY_PROTOCOL && self.protocol != protocol {
            return false;
        }
        if self.any_port != 0 {
            return true;
        }
        u32::from(self.first_port) <= port && port <= u32::from(self.last_port)
    }
}

/// The remote port of a packet that has none: above every port. An option would be left undefined where there is none,
/// and the verifier refuses to compare what may be undefined.
pub const NO_PORT: u32 = 1 << 16;

/// Value of `RULES`: the rules for one role and remote prefix, those of the shorter prefixes around
/// it behind its own, so that the longest match is enough.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct RuleSet {
    /// How many of `rules` count.
    pub count: u32,
    /// Zero.
    pub pad: u32,
    /// The rules, in order.
    pub rules: [Rule; limits::RULES_IN_SET],
}

impl RuleSet {
    /// Whether the first rule that matches a packet of this protocol and remote port ([`NO_PORT`] where it has none)
    /// allows; `None` when none does.
    #[inline(always)]
    pub fn decide(&self, protocol: u8, port: u32) -> Option<bool> {
        self.rules
            .iter()
            .take(self.count as usize)
            .find(|rule| rule.matches(protocol, port))
            .map(|rule| rule.allow != 0)
    }
}

/// Data of the keys of `RULES` and `SCOPES`: a prefix that belongs to a role or a zone. The prefix
/// length of the trie counts the 32 bits of the owner too.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct OwnedPrefix {
    /// A [`RoleId`] or a zone, big endian: tries compare from the first byte.
    pub owner: [u8; 4],
    /// The mapped address.
    pub address: [u8; 16],
}

impl OwnedPrefix {
    /// Bits of a whole key.
    pub const BITS: u32 = 160;

    /// The address of this owner.
    #[inline(always)]
    pub fn new(owner: u32, address: [u8; 16]) -> Self {
        Self {
            owner: owner.to_be_bytes(),
            address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Rule = Rule {
        first_port: 443,
        last_port: 443,
        protocol: 6,
        allow: 1,
        any_port: 0,
        pad: 0,
    };

    #[test]
    fn a_rule_with_ports_needs_a_port() {
        assert!(HTTPS.matches(6, 443));
        assert!(!HTTPS.matches(6, 80));
        assert!(!HTTPS.matches(17, 443));
        assert!(!HTTPS.matches(6, NO_PORT));
    }

    #[test]
    fn the_first_match_decides() {
        let deny = Rule {
            allow: 0,
            any_port: 1,
            protocol: Rule::ANY_PROTOCOL,
            ..HTTPS
        };
        let mut set = RuleSet::zeroed();
        set.rules[..2].copy_from_slice(&[HTTPS, deny]);
        set.count = 2;
        assert_eq!(set.decide(6, 443), Some(true));
        assert_eq!(set.decide(6, 80), Some(false));
        assert_eq!(set.decide(1, NO_PORT), Some(false));
        set.count = 1;
        assert_eq!(set.decide(1, NO_PORT), None);
    }
}
