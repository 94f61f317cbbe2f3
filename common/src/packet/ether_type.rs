//! Numbers of Ethernet types (IANA "Ether Types").

/// Up to here the field is the length of an 802.3 frame (IEEE 802.3-2022 section 3.2.6).
pub(super) const LONGEST_LENGTH: u16 = 1500;
/// From here on it is a type; between the two it means nothing.
pub(super) const FIRST: u16 = 0x0600;

pub(super) const IPV4: u16 = 0x0800;
pub(super) const ARP: u16 = 0x0806;
pub(super) const VLAN: u16 = 0x8100;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const SLOW_PROTOCOLS: u16 = 0x8809;
pub(super) const EAPOL: u16 = 0x888e;
pub(super) const PROVIDER_VLAN: u16 = 0x88a8;
pub(super) const LLDP: u16 = 0x88cc;
pub(super) const OLD_PROVIDER_VLAN: u16 = 0x9100;
