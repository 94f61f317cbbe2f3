//! Addresses that are translated by a fixed rule, so that no connection has to be looked up.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use enforcer_common::host::Host;

/// A block of ports of an outside address, which is one host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Static {
    /// The outside address.
    pub outside: IpAddr,
    /// The block.
    pub ports: RangeInclusive<u16>,
    /// Whose it is.
    pub host: Host,
}

/// Two blocks that have a port in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The earlier one, by its place in the list.
    pub first: usize,
    /// The later one.
    pub second: usize,
}

/// All fixed rules, for lookups. No two have a port in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statics {
    /// By the address and the first port: the last port, and whose the block is.
    blocks: BTreeMap<(IpAddr, u16), (u16, Host)>,
}

impl Statics {
    /// These rules. Where two overlap, which is refused before, the later one counts for its own block.
    pub fn new(rules: impl IntoIterator<Item = Static>) -> Self {
        let block = |rule: Static| {
            let (first, last) = rule.ports.into_inner();
            ((rule.outside, first), (last, rule.host))
        };
        Self {
            blocks: rules.into_iter().map(block).collect(),
        }
    }

    /// Whose address and port this is outside.
    pub fn find(&self, outside: SocketAddr) -> Option<Host> {
        let (address, port) = (outside.ip(), outside.port());
        let mut below = self.blocks.range((address, 0)..=(address, port));
        let (_, (last, host)) = below.next_back()?;
        (port <= *last).then_some(*host)
    }

    /// Whether any host has a block of this address.
    pub fn is_outside(&self, address: IpAddr) -> bool {
        let mut of_it = self.blocks.range((address, 0)..=(address, u16::MAX));
        of_it.next().is_some()
    }
}

/// Each block that begins within an earlier one (in the order of addresses and ports), with the one that it
/// overlaps.
pub fn overlaps(blocks: &[(IpAddr, RangeInclusive<u16>)]) -> Vec<Overlap> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|at| (blocks[*at].0, *blocks[*at].1.start(), *at));
    let mut overlaps = Vec::new();
    // Of those before, the one that reaches furthest.
    let mut furthest: Option<usize> = None;
    for at in order {
        let (address, ports) = &blocks[at];
        let same = furthest.filter(|before| blocks[*before].0 == *address);
        if let Some(before) = same.filter(|before| blocks[*before].1.end() >= ports.start()) {
            overlaps.push(Overlap {
                first: before.min(at),
                second: before.max(at),
            });
        }
        let reaches = |before: usize| blocks[before].1.end() >= ports.end();
        if !same.is_some_and(reaches) {
            furthest = Some(at);
        }
    }
    overlaps
}

#[cfg(test)]
mod tests {
    use enforcer_common::host::Address;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn outside(last: u8) -> IpAddr {
        [203, 0, 113, last].into()
    }

    fn host(number: usize) -> Host {
        let number = u8::try_from(number).expect("a small number");
        Host {
            zone: 0,
            address: Address::v4([10, 0, 0, number]),
        }
    }

    fn statics(blocks: &[(IpAddr, RangeInclusive<u16>)]) -> Statics {
        Statics::new(
            blocks
                .iter()
                .enumerate()
                .map(|(at, (outside, ports))| Static {
                    outside: *outside,
                    ports: ports.clone(),
                    host: host(at),
                }),
        )
    }

    #[test]
    fn a_port_is_in_one_block() {
        let all = statics(&[
            (outside(1), 1024..=2047),
            (outside(1), 2048..=3071),
            (outside(2), 1..=u16::MAX),
        ]);
        let find = |last, port| all.find((outside(last), port).into());
        assert_eq!(find(1, 1023), None);
        assert_eq!(
            (find(1, 1024), find(1, 2047)),
            (Some(host(0)), Some(host(0)))
        );
        assert_eq!(
            (find(1, 2048), find(1, 3071)),
            (Some(host(1)), Some(host(1)))
        );
        assert_eq!((find(1, 3072), find(2, 3072)), (None, Some(host(2))));
        assert_eq!(find(3, 1024), None);
        assert!(all.is_outside(outside(1)) && !all.is_outside(outside(3)));
    }

    fn a_block() -> impl Strategy<Value = (IpAddr, RangeInclusive<u16>)> {
        (1..4_u8, 1..60_u16, 0..12_u16)
            .prop_map(|(last, first, more)| (outside(last), first..=first + more))
    }

    proptest! {
        /// Against the plainest model: every port of every address by itself.
        #[test]
        fn lookups_and_overlaps_are_those_of_single_ports(blocks in vec(a_block(), 0..12)) {
            let owners = |address: IpAddr, port: u16| {
                let of_it = blocks.iter().enumerate();
                let of_it = of_it.filter(move |(_, (at, ports))| *at == address && ports.contains(&port));
                of_it.map(|(at, _)| at).collect::<Vec<_>>()
            };
            let ports = || (1..4_u8).flat_map(|last| (0..80_u16).map(move |port| (outside(last), port)));
            let clashes = ports().any(|(address, port)| owners(address, port).len() > 1);
            let found = overlaps(&blocks);
            prop_assert_eq!(clashes, !found.is_empty());
            for Overlap { first, second } in found {
                prop_assert!(first < second);
                let both = [first, second].map(|at| &blocks[at]);
                prop_assert_eq!(both[0].0, both[1].0);
                prop_assert!(both[0].1.clone().any(|port| both[1].1.contains(&port)));
            }
            if !clashes {
                let all = statics(&blocks);
                for (address, port) in ports() {
                    let owner = owners(address, port).first().map(|at| host(*at));
                    prop_assert_eq!(all.find((address, port).into()), owner);
                }
            }
        }
    }
}
