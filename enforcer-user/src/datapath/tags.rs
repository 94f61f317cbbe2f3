//! VLAN tags that a NIC takes out of packets before XDP sees them.

use super::choice::IngressChoice;
use crate::links::{Feature, Features, Link, State};

/// Whether a NIC takes tags out.
pub(super) struct Tags {
    /// Whether it does now.
    pub now: State,
    /// Whether it did before it was told not to.
    pub changed: bool,
}

/// Has the NIC of an interface leave tags where they are, where XDP is wanted.
pub(super) fn keep(link: &Link, choice: IngressChoice) -> Tags {
    let state = || match Features::read(&link.name) {
        Ok(features) => features.state(Feature::StripsTags),
        Err(error) => {
            tracing::warn!(
                interface = link.name,
                "cannot find out whether its NIC takes out VLAN tags: {error}; taken as if it did"
            );
            State::AlwaysOn
        }
    };
    if link.is_virtual() || choice == IngressChoice::Tc {
        let (now, changed) = (State::Off, false);
        return Tags { now, changed };
    }
    let before = state();
    if before != State::On {
        let (now, changed) = (before, false);
        return Tags { now, changed };
    }
    if let Err(error) = Features::set(&link.name, Feature::StripsTags, false) {
        tracing::warn!(
            interface = link.name,
            "its NIC takes out VLAN tags: {error}"
        );
    }
    let now = state();
    let changed = now == State::Off;
    if changed {
        tracing::info!(
            interface = link.name,
            "its NIC took VLAN tags out of packets, before XDP could see them: switched off (rxvlan)"
        );
    }
    Tags { now, changed }
}

/// Has the NIC take tags out again.
pub(super) fn strip(interface: &str) {
    if let Err(error) = Features::set(interface, Feature::StripsTags, true) {
        tracing::warn!(
            interface,
            "its NIC does not take out VLAN tags again: {error}"
        );
    }
}
