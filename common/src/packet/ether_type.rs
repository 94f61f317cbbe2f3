//! Numbers of Ethernet types (IANA "Ether Types").

pub(super) const IPV4: u16 = 0x0800;
pub(super) const ARP: u16 = 0x0806;
pub(super) const VLAN: u16 = 0x8100;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const EAPOL: u16 = 0x888e;
pub(super) const PROVIDER_VLAN: u16 = 0x88a8;
pub(super) const LLDP: u16 = 0x88cc;
pub(super) const OLD_PROVIDER_VLAN: u16 = 0x9100;
