//! The addresses of a world: few, so that packets meet what the tables hold.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rand::{Rng, RngExt, seq::IndexedRandom};

use crate::{
    fixture::{HOST_MAC, v4, v6},
    table::{Known, Place},
};
use enforcer_common::host::Family;

/// The MAC address of another host.
pub const OTHER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x20];

/// Hosts of each family at a site.
const HOSTS: u8 = 7;

/// Where the hosts of a world are: each site has addresses of its own, so that a world seldom meets what another left
/// behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site(pub u8);

impl Site {
    /// Its hosts of this family.
    pub fn hosts(self, family: Family) -> impl Iterator<Item = IpAddr> {
        (1..=HOSTS).map(move |last| match family {
            Family::V4 => Ipv4Addr::new(10, 9, self.0, last).into(),
            Family::V6 => Ipv6Addr::new(0xfd09, 0, 0, self.0.into(), 0, 0, 0, last.into()).into(),
        })
    }

    /// All that hosts are known by, link-local addresses included.
    pub fn all_hosts(self) -> Vec<IpAddr> {
        let local = (1..=3).map(|last| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, self.0.into(), last));
        self.hosts(Family::V4)
            .chain(self.hosts(Family::V6))
            .chain(local.map(IpAddr::from))
            .collect()
    }

    /// An address that a packet may be from or for.
    pub fn address(self, rng: &mut impl Rng, family: Family) -> IpAddr {
        match rng.random_range(0..100) {
            0..55 => self.host(rng, family),
            55..80 => *remotes(family).choose(rng).expect("some remotes"),
            80..96 => odd(self, rng, family),
            _ if family == Family::V4 => Ipv4Addr::from(rng.random::<u32>()).into(),
            _ => Ipv6Addr::from(rng.random::<u128>()).into(),
        }
    }

    /// A host.
    pub fn host(self, rng: &mut impl Rng, family: Family) -> IpAddr {
        let all: Vec<_> = match family {
            Family::V4 => self.hosts(Family::V4).collect(),
            Family::V6 => self
                .all_hosts()
                .into_iter()
                .filter(IpAddr::is_ipv6)
                .collect(),
        };
        *all.choose(rng).expect("some hosts")
    }

    /// A place for a row of the table.
    pub fn place(self, rng: &mut impl Rng, family: Family) -> Place {
        Place {
            host: self.host(rng, family),
            server: self.address(rng, family),
            ..Place::new(family, Known::Nobody, 0)
        }
    }
}

/// Those whom hosts talk to: gateway, servers, and addresses of other scopes.
fn remotes(family: Family) -> Vec<IpAddr> {
    match family {
        Family::V4 => vec![
            v4(1),
            v4(1),
            v4(99),
            v4(200),
            [198, 51, 100, 9].into(),
            [203, 0, 113, 9].into(),
        ],
        Family::V6 => vec![
            v6(1),
            v6(1),
            v6(99),
            v6(0x200),
            [0x2001, 0xdb8, 5, 0, 0, 0, 0, 9].into(),
            [0x2001, 0xdb8, 6, 0, 0, 0, 0, 9].into(),
        ],
    }
}

/// What means many, nobody, oneself, or pretends to be of the other family.
fn odd(site: Site, rng: &mut impl Rng, family: Family) -> IpAddr {
    let v4 = [
        [0, 0, 0, 0],
        [0, 0, 0, 1],
        [127, 0, 0, 1],
        [127, 255, 255, 255],
        [224, 0, 0, 1],
        [224, 0, 0, 22],
        [224, 0, 1, 1],
        [239, 1, 2, 3],
        [240, 0, 0, 1],
        [255, 255, 255, 255],
        [10, 9, site.0, 255],
    ];
    let v6: [[u16; 8]; 12] = [
        [0; 8],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0xffff, 0x0a09, 1],
        [0, 0, 0, 0, 0, 0, 0x0a09, 1],
        [0xfe80, 0, 0, 0, 0, 0, 0, 1],
        [0xfebf, 0, 0, 0, 0, 0, 0, 1],
        [0xfec0, 0, 0, 0, 0, 0, 0, 1],
        [0xff01, 0, 0, 0, 0, 0, 0, 1],
        [0xff02, 0, 0, 0, 0, 0, 0, 1],
        [0xff02, 0, 0, 0, 0, 0, 1, 2],
        [0xff02, 0, 0, 0, 0, 1, 0xff00, 1],
        [0xff05, 0, 0, 0, 0, 0, 0, 2],
    ];
    match family {
        Family::V4 => (*v4.choose(rng).expect("some")).into(),
        Family::V6 => (*v6.choose(rng).expect("some")).into(),
    }
}

/// The MAC address that a frame may be from.
pub fn mac(rng: &mut impl Rng) -> [u8; 6] {
    match rng.random_range(0..20) {
        0..14 => HOST_MAC,
        14..18 => OTHER_MAC,
        18 => [0; 6],
        _ => rng.random(),
    }
}
