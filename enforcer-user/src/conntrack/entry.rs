//! One entry of the table: who speaks with whom, and what names it.

use std::{collections::HashSet, net::IpAddr};

use netlink_packet_netfilter::conntrack::{ConntrackAttribute, IPTuple, Tuple};
use rtnetlink::packet_core::Nla;

/// Whose connections are meant.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    /// Addresses of hosts.
    pub hosts: HashSet<IpAddr>,
    /// Addresses of this machine. A connection that ends there is not meant: it is handed to no offload, and some
    /// of them, as those with the portal and the management server, are open to every host.
    pub own: HashSet<IpAddr>,
}

/// Attributes that, beside the original tuple, say which entry is meant: its number, so that no younger one is
/// taken for it, and its zone (`CTA_ID` and `CTA_ZONE` of `linux/netfilter/nfnetlink_conntrack.h`).
const CTA_ID: u16 = 12;
const CTA_ZONE: u16 = 18;

/// An entry, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Who opened the connection, by its own address.
    opener: IpAddr,
    /// Who answers, by its own address: where an address was translated, not the one that was asked for.
    answerer: IpAddr,
    /// What the kernel knows the entry by.
    name: Vec<ConntrackAttribute>,
}

impl Entry {
    /// Understands what the kernel tells of an entry; `None` when it tells no addresses.
    pub(super) fn read(attributes: Vec<ConntrackAttribute>) -> Option<Self> {
        let (mut opener, mut answerer) = (None, None);
        for attribute in &attributes {
            match attribute {
                ConntrackAttribute::CtaTupleOrig(tuple) => opener = source(tuple),
                ConntrackAttribute::CtaTupleReply(tuple) => answerer = source(tuple),
                _ => {}
            }
        }
        let names = |attribute: &ConntrackAttribute| match attribute {
            ConntrackAttribute::CtaTupleOrig(_) => true,
            ConntrackAttribute::Other(other) => matches!(other.kind(), CTA_ID | CTA_ZONE),
            _ => false,
        };
        Some(Self {
            opener: opener?,
            answerer: answerer?,
            name: attributes.into_iter().filter(names).collect(),
        })
    }

    /// Whether one end is one of the hosts, and the other one is not this machine.
    pub(super) fn is_of(&self, whose: &Whose) -> bool {
        let is = |host, other| whose.hosts.contains(host) && !whose.own.contains(other);
        is(&self.opener, &self.answerer) || is(&self.answerer, &self.opener)
    }

    /// Who opened the connection.
    pub(super) fn opener(&self) -> IpAddr {
        self.opener
    }

    /// What the kernel knows the entry by. It always has the tuple in it: without, all entries would be meant.
    pub(super) fn into_name(self) -> Vec<ConntrackAttribute> {
        self.name
    }
}

fn source(tuple: &[Tuple]) -> Option<IpAddr> {
    let mut parts = tuple.iter().flat_map(|part| match part {
        Tuple::Ip(addresses) => addresses.as_slice(),
        _ => &[],
    });
    parts.find_map(|part| match part {
        IPTuple::SourceAddress(address) => Some(*address),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_core::DefaultNla;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn tuple(source: &str, destination: &str) -> Vec<Tuple> {
        vec![Tuple::Ip(vec![
            IPTuple::SourceAddress(ip(source)),
            IPTuple::DestinationAddress(ip(destination)),
        ])]
    }

    /// 192.0.2.11 reaches a server at one address which is really at another, under the gateway's address.
    fn translated() -> Vec<ConntrackAttribute> {
        let other = |kind| ConntrackAttribute::Other(DefaultNla::new(kind, vec![0; 4]));
        vec![
            ConntrackAttribute::CtaTupleOrig(tuple("192.0.2.11", "203.0.113.1")),
            ConntrackAttribute::CtaTupleReply(tuple("198.51.100.80", "198.51.100.1")),
            ConntrackAttribute::CtaTimeout(30),
            other(CTA_ID),
            other(99),
            other(CTA_ZONE),
        ]
    }

    #[test]
    fn both_ends_count_by_their_own_addresses() {
        let entry = Entry::read(translated()).expect("an entry");
        let is_of = |host: &str, own: &str| {
            entry.is_of(&Whose {
                hosts: [ip(host)].into(),
                own: [ip(own)].into(),
            })
        };
        let gateway = "198.51.100.1";
        assert!(is_of("192.0.2.11", gateway));
        assert!(is_of("198.51.100.80", gateway));
        assert!(!is_of("203.0.113.1", gateway), "nobody's own");
        assert!(!is_of(gateway, "192.0.2.1"), "nobody's own");
        assert!(!is_of("192.0.2.11", "198.51.100.80"), "ends here");
    }

    #[test]
    fn the_name_is_the_tuple_with_number_and_zone() {
        let entry = Entry::read(translated()).expect("an entry");
        let all = translated();
        let name = [all[0].clone(), all[3].clone(), all[5].clone()];
        assert_eq!(entry.into_name(), name);
    }

    #[test]
    fn what_has_no_addresses_is_no_entry() {
        assert_eq!(Entry::read(translated().split_off(1)), None);
    }
}
