//! The interfaces under enforcement, and their NICs.

use super::{Answer, Subject};
use crate::{
    config::HookChoice,
    links::{Feature, Features, Link, State, xdp_features},
};

/// The longest packet that every driver with XDP takes in one piece.
const ONE_PIECE: u32 = 1500;

pub(super) fn are_there(subject: &Subject) -> Vec<Answer> {
    let interfaces = subject.config.interfaces.iter();
    let answers = interfaces.map(|one| match subject.link(&one.name) {
        None => Answer::fail(&one.name, "is not there", "`ip link` lists those that are"),
        Some(link) if !link.is_up => Answer::warn(
            &one.name,
            "is switched off",
            format!("ip link set {} up", one.name),
        ),
        Some(link) => {
            let driver = link.driver().map(|driver| format!(", driver {driver}"));
            let kind = if link.kind.is_empty() {
                "hardware"
            } else {
                &link.kind
            };
            Answer::ok(&one.name, format!("{kind}{}", driver.unwrap_or_default()))
        }
    });
    answers.collect()
}

fn hook(subject: &Subject, link: &Link) -> HookChoice {
    let mut interfaces = subject.config.interfaces.iter();
    let found = interfaces.find(|one| one.name == link.name);
    found.map(|one| one.hook).unwrap_or_default()
}

/// Whether XDP is to be on this interface, if it can.
fn wants_xdp(subject: &Subject, link: &Link) -> bool {
    hook(subject, link) != HookChoice::Tc
}

pub(super) fn xdp(subject: &Subject) -> Vec<Answer> {
    let answers = subject.enforced().map(|link| {
        let hook = hook(subject, link);
        let features = match xdp_features(link.index) {
            Ok(features) => features,
            // Drivers tell from Linux 6.3 on.
            Err(error) => {
                let found = format!("found out when it is attached ({error})");
                return Answer::ok(&link.name, found);
            }
        };
        match (features.basic, hook) {
            (true, _) => Answer::ok(&link.name, "its driver takes XDP"),
            (false, HookChoice::Xdp) => Answer::fail(
                &link.name,
                "its driver takes no XDP, and `hook = \"xdp\"` wants it",
                "set `hook = \"auto\"` or `hook = \"tc\"` for it",
            ),
            (false, HookChoice::Auto) => Answer::warn(
                &link.name,
                "its driver takes no XDP: traffic control is used, which is slower",
                "a NIC whose driver takes XDP, or `hook = \"tc\"` where this is known",
            ),
            (false, _) => Answer::ok(&link.name, "its driver takes no XDP, which is not wanted"),
        }
    });
    answers.collect()
}

pub(super) fn mtu(subject: &Subject) -> Vec<Answer> {
    let answers = subject.enforced().map(|link| {
        let found = format!("MTU {}", link.mtu);
        let in_pieces = || xdp_features(link.index).map(|features| features.fragments);
        if link.mtu <= ONE_PIECE || !wants_xdp(subject, link) || in_pieces().unwrap_or(true) {
            return Answer::ok(&link.name, found);
        }
        Answer::warn(
            &link.name,
            format!("{found}, and its driver takes XDP with packets in one piece only"),
            format!(
                "ip link set {} mtu {ONE_PIECE}, or `hook = \"tc\"` for it",
                link.name
            ),
        )
    });
    answers.collect()
}

/// What a NIC does by itself, for each interface under enforcement that has one, or may have.
fn nics(subject: &Subject, look: impl Fn(&Link, &Features) -> Option<Answer>) -> Vec<Answer> {
    let answers = subject
        .enforced()
        .filter_map(|link| match Features::read(&link.name) {
            Ok(features) => look(link, &features),
            Err(error) => Some(Answer::warn(
                &link.name,
                format!("what its NIC does cannot be found out: {error}"),
                format!("look at `ethtool -k {}`", link.name),
            )),
        });
    answers.collect()
}

pub(super) fn tags(subject: &Subject) -> Vec<Answer> {
    nics(subject, |link, features| {
        // What a virtual interface says of itself is nothing that is done to packets.
        let state = features.state(Feature::StripsTags);
        if link.is_virtual() || !wants_xdp(subject, link) || state == State::Off {
            return Some(Answer::ok(&link.name, "VLAN tags are seen"));
        }
        let off = format!(
            "ethtool -K {} {} off",
            link.name,
            Feature::StripsTags.name()
        );
        Some(match (state, hook(subject, link)) {
            (State::On, _) => Answer::ok(
                &link.name,
                format!("its NIC takes VLAN tags out; switched off at attach (`{off}`)"),
            ),
            (_, HookChoice::Auto) => Answer::warn(
                &link.name,
                "its NIC takes VLAN tags out and cannot be told not to: traffic control is used",
                "`hook = \"tc\"` where this is known",
            ),
            _ => Answer::fail(
                &link.name,
                "its NIC takes VLAN tags out and cannot be told not to: XDP would not see them",
                "set `hook = \"auto\"` or `hook = \"tc\"` for it",
            ),
        })
    })
}

pub(super) fn joined_segments(subject: &Subject) -> Vec<Answer> {
    nics(subject, |link, features| {
        let is_on = features.state(Feature::JoinsSegments) != State::Off;
        Some(if is_on && wants_xdp(subject, link) {
            Answer::warn(
                &link.name,
                "its NIC joins segments (LRO), with which drivers refuse XDP",
                format!(
                    "ethtool -K {} {} off",
                    link.name,
                    Feature::JoinsSegments.name()
                ),
            )
        } else {
            Answer::ok(&link.name, "segments are not joined (LRO)")
        })
    })
}

pub(super) fn offload(subject: &Subject) -> Vec<Answer> {
    nics(subject, |link, features| {
        let name = Feature::OffloadsFlows.name();
        Some(match features.state(Feature::OffloadsFlows) {
            State::Off => Answer::ok(&link.name, "no flows are forwarded in hardware"),
            _ => Answer::fail(
                &link.name,
                format!("its NIC may forward flows by itself ({name}), past every program"),
                format!(
                    "ethtool -K {} {name} off, and no `flags offload` in flowtables of nftables",
                    link.name
                ),
            ),
        })
    })
}
