//! What an interface does by itself to packets, as `ethtool -k` shows it.

use std::collections::BTreeMap;

use rtnetlink::packet_core::DefaultNla;

use super::genl::{self, Family};
use crate::netlink::AnswerError;

/// `linux/ethtool_netlink.h`.
const GET: u8 = 11;
const SET: u8 = 12;
const HEADER: u16 = 1;
const DEVICE_NAME: u16 = 2;
const CHANGEABLE: u16 = 2;
const WANTED: u16 = 3;
const ACTIVE: u16 = 4;
const FIXED: u16 = 5;
const BITS: u16 = 3;
const BIT: u16 = 1;
const BIT_NAME: u16 = 2;
const BIT_VALUE: u16 = 3;

/// Something that a NIC may do that keeps packets, or parts of them, from the datapath.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// VLAN tags are taken out of packets.
    StripsTags,
    /// TCP segments are joined before they are seen.
    JoinsSegments,
    /// Whole flows are forwarded in hardware.
    OffloadsFlows,
}

impl Feature {
    /// The kernel's name of it.
    const fn kernel_name(self) -> &'static str {
        match self {
            Self::StripsTags => "rx-vlan-hw-parse",
            Self::JoinsSegments => "rx-lro",
            Self::OffloadsFlows => "hw-tc-offload",
        }
    }

    /// What `ethtool -K` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StripsTags => "rxvlan",
            Self::JoinsSegments => "lro",
            Self::OffloadsFlows => "hw-tc-offload",
        }
    }
}

/// How it stands with a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not done.
    Off,
    /// It is done.
    On,
    /// It is done, and cannot be switched off.
    AlwaysOn,
}

/// The features of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features(BTreeMap<String, State>);

impl Features {
    /// Those of the interface with this name.
    pub fn read(interface: &str) -> Result<Self, AnswerError> {
        let answers = Family::open("ethtool")?.ask(GET, vec![header(interface)])?;
        let [mut changeable, mut active, mut fixed] = [const { Vec::new() }; 3];
        for attribute in answers.iter().flatten() {
            match genl::kind(attribute) {
                CHANGEABLE => changeable = names(attribute)?,
                ACTIVE => active = names(attribute)?,
                FIXED => fixed = names(attribute)?,
                _ => {}
            }
        }
        let states = active.into_iter().map(|name| {
            let can_change = changeable.contains(&name) && !fixed.contains(&name);
            let state = if can_change {
                State::On
            } else {
                State::AlwaysOn
            };
            (name, state)
        });
        Ok(Self(states.collect()))
    }

    /// How it stands with one.
    pub fn state(&self, feature: Feature) -> State {
        let state = self.0.get(feature.kernel_name());
        state.copied().unwrap_or(State::Off)
    }

    /// Switches a feature. Whether it is so afterwards shows only [`read`](Self::read).
    pub fn set(interface: &str, feature: Feature, on: bool) -> Result<(), AnswerError> {
        let mut bit = vec![genl::text(BIT_NAME, feature.kernel_name())];
        if on {
            bit.push(DefaultNla::new(BIT_VALUE, Vec::new()));
        }
        let bits = genl::nested(BITS, &[genl::nested(BIT, &bit)]);
        let wanted = genl::nested(WANTED, &[bits]);
        let family = Family::open("ethtool")?;
        family.ask(SET, vec![header(interface), wanted]).map(drop)
    }
}

fn header(interface: &str) -> DefaultNla {
    genl::nested(HEADER, &[genl::text(DEVICE_NAME, interface)])
}

/// The names of the bits that are set. A list with a mask has a value in each bit that is set, and one without
/// only lists those.
fn names(set: &DefaultNla) -> Result<Vec<String>, AnswerError> {
    const NO_MASK: u16 = 1;
    let parts = genl::parts(&genl::value(set))?;
    let has_mask = !parts.iter().any(|part| genl::kind(part) == NO_MASK);
    let mut names = Vec::new();
    for list in parts.iter().filter(|part| genl::kind(part) == BITS) {
        for bit in genl::parts(&genl::value(list))? {
            let parts = genl::parts(&genl::value(&bit))?;
            let is_set = !has_mask || parts.iter().any(|part| genl::kind(part) == BIT_VALUE);
            let name = parts.iter().find(|part| genl::kind(part) == BIT_NAME);
            if let Some(name) = name.filter(|_| is_set) {
                let bytes = genl::value(name);
                let text = String::from_utf8_lossy(&bytes);
                names.push(text.trim_end_matches('\0').to_owned());
            }
        }
    }
    Ok(names)
}
