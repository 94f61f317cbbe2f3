//! Everything that goes by in a place.

use std::{
    net::IpAddr,
    os::fd::{AsRawFd, OwnedFd},
};

use anyhow::Context;
use etherparse::{LaxNetSlice, LaxSlicedPacket};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, setsockopt, socket,
    sockopt::RcvBufForce,
};

use crate::namespace::Namespace;

/// Room for what goes by until somebody looks.
const ROOM: usize = 32 << 20;
/// More than a frame has, unless the kernel has joined segments.
const FRAME: usize = 1 << 16;

/// Hears every frame that comes to a namespace, or leaves it.
pub struct Tap(OwnedFd);

impl Tap {
    /// Listens from now on.
    pub fn new(namespace: &Namespace) -> anyhow::Result<Self> {
        let opened = namespace.enter(|| {
            let (family, kind) = (AddressFamily::Packet, SockType::Raw);
            socket(family, kind, SockFlag::empty(), SockProtocol::EthAll)
        });
        let tap = opened.context("no raw socket")?;
        setsockopt(&tap, RcvBufForce, &ROOM)?;
        Ok(Self(tap))
    }

    /// The frames since it was last asked.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let mut frame = vec![0; FRAME];
        let next = std::iter::from_fn(|| {
            let length = recv(self.0.as_raw_fd(), &mut frame, MsgFlags::MSG_DONTWAIT).ok()?;
            Some(frame[..length].to_vec())
        });
        next.collect()
    }
}

/// The addresses of an IP packet, source first.
pub fn addresses(frame: &[u8]) -> Option<(IpAddr, IpAddr)> {
    match LaxSlicedPacket::from_ethernet(frame).ok()?.net? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some((
                header.source_addr().into(),
                header.destination_addr().into(),
            ))
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some((
                header.source_addr().into(),
                header.destination_addr().into(),
            ))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

/// Whether these bytes are somewhere in a frame.
pub fn carries(frame: &[u8], bytes: &[u8]) -> bool {
    frame.windows(bytes.len()).any(|window| window == bytes)
}
