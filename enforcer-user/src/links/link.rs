//! One interface.

use std::path::Path;

use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, LinkXdp, XdpAttached},
};
use rtnetlink::{packet_core::NLM_F_DUMP, sys::protocols::NETLINK_ROUTE};

use crate::netlink::{AnswerError, Channel};

/// An interface at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it is made by (`bridge`, `vlan`, `veth`, …); empty for hardware.
    pub kind: String,
    /// Whether it is switched on.
    pub is_up: bool,
    /// Whether it leads to this machine itself.
    pub is_loopback: bool,
    /// The longest packet that it takes.
    pub mtu: u32,
    /// The interface that it is a part of: a bridge, a bond.
    pub controller: Option<u32>,
    /// The interface that it stands on, as a VLAN stands on its parent. A veth has its peer here.
    pub lower: Option<u32>,
    /// The XDP program on it.
    pub xdp: Option<Xdp>,
}

/// An XDP program on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xdp {
    /// The kernel's number of the program.
    pub program: u32,
    /// Where it runs.
    pub mode: XdpMode,
}

/// Where an XDP program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XdpMode {
    /// In the driver.
    Native,
    /// Behind the driver.
    Generic,
    /// In the hardware, or in several places.
    Other,
}

impl Link {
    /// Whether no hardware is behind it.
    pub fn is_virtual(&self) -> bool {
        !Path::new("/sys/class/net")
            .join(&self.name)
            .join("device")
            .exists()
    }

    /// The driver of its hardware.
    pub fn driver(&self) -> Option<String> {
        let driver = Path::new("/sys/class/net").join(&self.name);
        let driver = driver.join("device/driver").read_link().ok()?;
        Some(driver.file_name()?.to_string_lossy().into_owned())
    }

    /// Understands what the kernel tells of an interface.
    pub(super) fn read(message: &LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            is_up: flags.contains(LinkFlags::Up),
            is_loopback: flags.contains(LinkFlags::Loopback),
            ..Self::default()
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
                LinkAttribute::Controller(index) => link.controller = Some(*index),
                LinkAttribute::Link(index) => link.lower = Some(*index),
                LinkAttribute::LinkInfo(info) => link.kind = kind(info),
                LinkAttribute::Xdp(parts) => link.xdp = xdp(parts),
                _ => {}
            }
        }
        link
    }
}

fn kind(info: &[LinkInfo]) -> String {
    let kind = info.iter().find_map(|part| match part {
        LinkInfo::Kind(kind) => Some(kind),
        _ => None,
    });
    kind.map(InfoKind::to_string).unwrap_or_default()
}

fn xdp(parts: &[LinkXdp]) -> Option<Xdp> {
    let mode = parts.iter().find_map(|part| match part {
        LinkXdp::Attached(XdpAttached::None) => None,
        LinkXdp::Attached(XdpAttached::Driver) => Some(XdpMode::Native),
        LinkXdp::Attached(XdpAttached::SocketBuffer) => Some(XdpMode::Generic),
        LinkXdp::Attached(_) => Some(XdpMode::Other),
        _ => None,
    })?;
    let program = parts.iter().find_map(|part| match part {
        LinkXdp::ProgId(id) | LinkXdp::DrvProgId(id) | LinkXdp::SkbProgId(id) => Some(*id),
        _ => None,
    })?;
    Some(Xdp { program, mode })
}

/// Every interface in the network namespace of this thread.
pub fn all() -> Result<Vec<Link>, AnswerError> {
    let mut links = Vec::new();
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    Channel::open(NETLINK_ROUTE)?.ask(NLM_F_DUMP, request, |answer| {
        if let RouteNetlinkMessage::NewLink(message) = answer? {
            links.push(Link::read(&message));
        }
        Ok::<(), AnswerError>(())
    })?;
    Ok(links)
}

/// The interface with this name.
pub fn named(name: &str) -> Result<Option<Link>, AnswerError> {
    Ok(all()?.into_iter().find(|link| link.name == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_among_them() {
        let links = all().expect("the interfaces");
        let loopback = links.iter().find(|link| link.name == "lo");
        let loopback = loopback.expect("a loopback interface");
        assert!(loopback.is_loopback && loopback.index == 1);
        assert!(loopback.is_virtual() && loopback.xdp.is_none());
        assert_eq!(named("nothing0").expect("an answer"), None);
    }
}
