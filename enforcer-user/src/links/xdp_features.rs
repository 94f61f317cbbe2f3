//! What a driver can do with XDP, as it says itself (Linux 6.3).

use rtnetlink::packet_core::DefaultNla;

use super::genl::{self, Family};
use crate::netlink::AnswerError;

/// `linux/netdev.h`.
const GET_DEVICE: u8 = 1;
const INDEX: u16 = 1;
const XDP_FEATURES: u16 = 3;
const BASIC: u64 = 1;
const RX_FRAGMENTS: u64 = 1 << 5;

/// What a driver can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XdpFeatures {
    /// Run a program that passes, drops and sends back.
    pub basic: bool,
    /// The same with packets in several pieces.
    pub fragments: bool,
}

/// What the driver of the interface with this number can do; an error of the kind "not found" where the kernel does
/// not tell.
pub fn xdp_features(index: u32) -> Result<XdpFeatures, AnswerError> {
    let interface = DefaultNla::new(INDEX, index.to_ne_bytes().to_vec());
    let answers = Family::open("netdev")?.ask(GET_DEVICE, vec![interface])?;
    let is_it = |part: &&DefaultNla| genl::kind(part) == XDP_FEATURES;
    let bits = answers.iter().flatten().find(is_it).map(genl::value);
    let bits = bits.and_then(|bytes| Some(u64::from_ne_bytes(bytes.try_into().ok()?)));
    let bits = bits.unwrap_or(0);
    Ok(XdpFeatures {
        basic: bits & BASIC != 0,
        fragments: bits & RX_FRAGMENTS != 0,
    })
}
