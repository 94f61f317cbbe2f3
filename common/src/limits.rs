//! Bounds that kernel and user space share, with their reasons.

/// The version of every layout in this crate. Pinned maps live under a directory named by it, so
/// that programs never meet rows of another shape.
pub const ABI: u32 = 2;

/// Hosts of each address family (a table of a million loads in under a second).
pub const HOSTS: u32 = 1 << 20;

/// Slots of the verdict cache for each CPU and family: two to four times the hosts that are active
/// at once, so that random addresses seldom share a slot.
pub const VERDICT_SLOTS: u32 = 1 << 16;

/// Buckets of generations. A change of one host empties the cache for its bucket alone.
pub const GENERATIONS: u32 = 1 << 16;

/// Prefixes in the scopes; an LPM trie is slow when large, and scopes are few.
pub const SCOPES: u32 = 1024;

/// Roles.
pub const ROLES: u8 = 64;

/// Prefixes in all rules.
pub const RULE_PREFIXES: u32 = 4096;

/// Rules that one prefix may have of its own.
pub const RULES_PER_PREFIX: usize = 16;

/// Rules that one prefix holds with those of the shorter prefixes around it.
pub const RULES_IN_SET: usize = 32;

/// Sources of decisions.
pub const SOURCES: usize = 16;

/// Interfaces under enforcement.
pub const INTERFACES: usize = 64;

/// VLAN tags before the network header (RFC 1122 hosts send none, 802.1ad allows two).
pub const VLAN_TAGS: usize = 2;

/// IPv6 extension headers before the transport header (RFC 8504 section 5.3 allows such a bound).
pub const EXTENSION_HEADERS: usize = 8;

/// Unknown hosts whose last question is remembered.
pub const ASKED: u32 = 1 << 16;

/// Flows whose far end was told that they are over.
pub const TOLD: u32 = 1 << 14;

/// Pairs of VLANs, one inside the other.
pub const VLAN_PAIRS: u32 = 4096;

/// Later fragments of requests that went to the portal are known by their first one.
pub const PORTAL_FRAGMENTS: u32 = 1 << 12;

/// Stopped hosts whose counts are kept.
pub const BLOCKED: u32 = 1 << 16;

/// HTTP flows on their way to the portal.
pub const PORTAL_FLOWS: u32 = 1 << 16;

/// Bytes of the event ring: a power of two and whole pages.
pub const EVENT_RING: u32 = 1 << 20;
