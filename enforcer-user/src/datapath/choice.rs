//! Where the ingress program of an interface goes: what the operator wishes, and what the interface is like.

use crate::links::State;

/// Where the ingress program is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IngressChoice {
    /// Where it sees everything and is the fastest.
    #[default]
    Auto,
    /// XDP in the driver.
    Native,
    /// XDP behind the driver.
    Generic,
    /// Traffic control.
    Tc,
}

/// A place for the ingress program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Native,
    /// With the program that takes frames in several pieces.
    NativeFrags,
    Generic,
    Tc,
}

/// What an interface is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    /// No hardware is behind it.
    pub is_virtual: bool,
    /// Its packets have VLAN tags.
    pub has_vlans: bool,
    /// Whether its NIC takes the tags out, after it was told not to.
    pub strips_tags: State,
    /// The longest packet that it takes.
    pub mtu: u32,
}

/// The longest packet that every driver with XDP takes in one piece.
const ONE_PIECE: u32 = 1500;

/// The places that are to be tried, one after the other, and why the first of them is the first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidates {
    pub places: &'static [Place],
    pub reason: &'static str,
}

/// The NIC takes out VLAN tags where they must be seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TagsAreLost;

/// What is to be tried.
pub(super) fn candidates(choice: IngressChoice, ground: Ground) -> Result<Candidates, TagsAreLost> {
    use Place::{Generic, Native, NativeFrags, Tc};
    let is_long = ground.mtu > ONE_PIECE;
    let loses_tags = !ground.is_virtual && ground.strips_tags != State::Off;
    let (places, reason): (&[_], _) = match choice {
        IngressChoice::Tc => (&[Tc], "the configuration says so"),
        IngressChoice::Native | IngressChoice::Generic if loses_tags => return Err(TagsAreLost),
        IngressChoice::Generic => (&[Generic], "the configuration says so"),
        IngressChoice::Native if is_long => (&[Native, NativeFrags], "the configuration says so"),
        IngressChoice::Native => (&[Native], "the configuration says so"),
        IngressChoice::Auto if loses_tags => (
            &[Tc],
            "its NIC takes VLAN tags out of packets and cannot be told not to, so that XDP would not see them",
        ),
        IngressChoice::Auto if ground.is_virtual && ground.has_vlans => (
            &[Tc],
            "the VLAN tags of a virtual interface are beside the packet, where XDP does not see them",
        ),
        IngressChoice::Auto if is_long => (&[Native, NativeFrags, Tc], "its driver takes XDP"),
        IngressChoice::Auto => (&[Native, Tc], "its driver takes XDP"),
    };
    Ok(Candidates { places, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIC: Ground = Ground {
        is_virtual: false,
        has_vlans: false,
        strips_tags: State::Off,
        mtu: 1500,
    };

    fn places(choice: IngressChoice, ground: Ground) -> Option<&'static [Place]> {
        candidates(choice, ground).ok().map(|all| all.places)
    }

    #[test]
    fn native_comes_first_and_tc_last() {
        use Place::{Native, NativeFrags, Tc};
        let auto = |ground: Ground| places(IngressChoice::Auto, ground);
        assert_eq!(auto(NIC), Some(&[Native, Tc][..]));
        let jumbo = Ground { mtu: 9000, ..NIC };
        assert_eq!(auto(jumbo), Some(&[Native, NativeFrags, Tc][..]));
        let native = places(IngressChoice::Native, jumbo);
        assert_eq!(native, Some(&[Native, NativeFrags][..]));
    }

    #[test]
    fn tags_must_be_seen() {
        use Place::{Native, Tc};
        for strips_tags in [State::On, State::AlwaysOn] {
            let nic = Ground { strips_tags, ..NIC };
            assert_eq!(places(IngressChoice::Auto, nic), Some(&[Tc][..]));
            assert_eq!(places(IngressChoice::Tc, nic), Some(&[Tc][..]));
            assert_eq!(places(IngressChoice::Native, nic), None);
            assert_eq!(places(IngressChoice::Generic, nic), None);
        }
        // What a veth says of itself has nothing to do with the tags that its peer leaves beside packets.
        let veth = Ground {
            is_virtual: true,
            strips_tags: State::On,
            ..NIC
        };
        assert_eq!(places(IngressChoice::Auto, veth), Some(&[Native, Tc][..]));
        let tagged = Ground {
            has_vlans: true,
            ..veth
        };
        assert_eq!(places(IngressChoice::Auto, tagged), Some(&[Tc][..]));
    }
}
