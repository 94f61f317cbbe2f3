use std::net::IpAddr;

use enforcer_protocol::judgement::Level;
use jiff::Timestamp;

use super::{
    evidence::News,
    neighbours::{Evidence, Neighbour},
    *,
};

pub(super) const MINE: Mac = Mac([2, 0, 0, 0, 0, 1]);
pub(super) const OTHER: Mac = Mac([2, 0, 0, 0, 0, 2]);

pub(super) fn identity() -> Identity {
    Identity::new(
        Zones::new(["office".to_owned(), "lab".to_owned()]),
        HashSet::new(),
    )
}

pub(super) fn host(zone: u32, last: u8) -> Host {
    let address = Address::v4([10, 0, 0, last]);
    Host { zone, address }
}

pub(super) fn bound(host: Host, mac: Option<Mac>) -> Vec<Bound> {
    vec![Bound { host, mac }]
}

/// What the kernel says of a host, on an interface with the number 1.
pub(super) fn neighbour(host: Host, evidence: Evidence) -> Neighbour {
    let interface = 1;
    Neighbour {
        host,
        interface,
        evidence,
    }
}

/// A decision of endpoint `name` in the zone `lab` (number 1).
pub(super) fn decision(name: &str, observed: Option<u8>, claims: &[(u8, Mac)]) -> Decision {
    let address = |last| IpAddr::from([10, 0, 0, last]);
    let claim = |&(last, mac): &(u8, Mac)| Claim {
        address: address(last),
        mac: mac.to_string(),
    };
    Decision {
        endpoint: name.to_owned(),
        name: String::new(),
        owner: None,
        zone: "lab".to_owned(),
        observed: observed.map(|last| (address(last), 40_000).into()),
        observed_by: None,
        observed_at: None,
        claims: claims.iter().map(claim).collect(),
        role: "authorized".to_owned(),
        level: Level::Safe,
        reasons: vec![],
        judged_at: Timestamp::UNIX_EPOCH,
        valid_until: None,
    }
}

#[test]
fn the_observed_address_counts_in_its_zone() {
    let binding = identity().bind(&decision("a", Some(5), &[]));
    assert_eq!(binding.hosts, bound(host(1, 5), None));
    let elsewhere = Decision {
        zone: "attic".to_owned(),
        ..decision("a", Some(5), &[(6, MINE)])
    };
    let binding = identity().bind(&elsewhere);
    assert!(binding.hosts.is_empty());
    assert!(matches!(binding.doubts[..], [Doubt::UnknownZone { .. }]));
}

#[test]
fn an_address_that_no_host_may_have_is_not_bound() {
    let mut local = decision("a", None, &[]);
    local.observed = Some(([127, 0, 0, 1], 40_000).into());
    assert_eq!(identity().bind(&local), Binding::default());
}

#[test]
fn an_observed_address_written_as_ipv6_is_the_ipv4_address() {
    let mut mapped = decision("a", None, &[]);
    mapped.observed = Some("[::ffff:10.0.0.5]:40000".parse().expect("an address"));
    assert_eq!(identity().bind(&mapped).hosts, bound(host(1, 5), None));
}

#[test]
fn a_claim_counts_once_its_mac_is_seen_there() {
    let mut identity = identity();
    assert_eq!(
        identity.bind(&decision("a", None, &[(7, MINE)])),
        Binding::default()
    );
    assert!(identity.sight(host(0, 7), MINE).is_empty(), "another zone");
    let rebound = identity.sight(host(1, 7), MINE);
    assert_eq!(rebound[0].endpoint, EndpointId::from("a"));
    assert_eq!(rebound[0].binding.hosts, bound(host(1, 7), Some(MINE)));
    assert!(identity.sight(host(1, 7), MINE).is_empty(), "nothing new");
    let both = identity.bind(&decision("a", Some(7), &[(7, MINE)]));
    assert_eq!(both.hosts, bound(host(1, 7), Some(MINE)), "once, and bound");
}

#[test]
fn a_false_claim_changes_nothing_and_is_reported() {
    let mut identity = identity();
    identity.neighbour(&neighbour(host(1, 7), Evidence::Told(OTHER)), false);
    let binding = identity.bind(&decision("a", None, &[(7, MINE)]));
    assert!(binding.hosts.is_empty());
    assert!(matches!(
        binding.doubts[..],
        [Doubt::OtherMac { seen: OTHER, .. }]
    ));
    assert!(
        identity.sight(host(1, 7), MINE).is_empty(),
        "a packet outdoes no neighbour"
    );
}

#[test]
fn another_mac_at_the_address_ends_the_claim_and_silence_does_not() {
    let mut identity = identity();
    identity.neighbour(&neighbour(host(1, 7), Evidence::Told(MINE)), false);
    let binding = identity.bind(&decision("a", None, &[(7, MINE)]));
    assert_eq!(binding.hosts, bound(host(1, 7), Some(MINE)));
    let gone = identity.neighbour(&neighbour(host(1, 7), Evidence::Gone), true);
    assert_eq!(gone, News::default());
    let rebound = identity.sight(host(1, 7), OTHER);
    assert!(rebound[0].binding.hosts.is_empty());
}

#[test]
fn what_is_forgotten_is_not_bound_again() {
    let mut identity = identity();
    identity.bind(&decision("a", None, &[(7, MINE)]));
    identity.bind(&decision("b", None, &[(7, MINE)]));
    identity.forget(&"a".into());
    let rebound = identity.sight(host(1, 7), MINE);
    assert_eq!(rebound.len(), 1);
    identity.bind_all::<&Decision>([]);
    let other = neighbour(host(1, 7), Evidence::Told(OTHER));
    assert_eq!(identity.neighbour(&other, false), News::default());
}

#[test]
fn claims_are_bounded() {
    let claims: Vec<_> = (1..=200).map(|last| (last, MINE)).collect();
    let binding = identity().bind(&decision("a", None, &claims));
    assert!(matches!(
        binding.doubts[..],
        [Doubt::TooManyClaims { count: 200, .. }]
    ));
}

#[test]
fn what_is_no_mac_is_reported() {
    let mut bad = decision("a", None, &[(7, MINE)]);
    bad.claims[0].mac = "mine".to_owned();
    let binding = identity().bind(&bad);
    assert!(matches!(binding.doubts[..], [Doubt::NoMac { .. }]));
}

#[test]
fn the_gateways_own_address_is_nobodys() {
    let zones = Zones::new(["office".to_owned(), "lab".to_owned()]);
    let mut identity = Identity::new(zones, HashSet::from([host(1, 1)]));
    identity.sight(host(1, 1), MINE);
    let binding = identity.bind(&decision("a", Some(1), &[(1, MINE)]));
    assert_eq!(binding.hosts, []);
}
