use enforcer_common::host::Address;
use enforcer_protocol::decision::Decision;

use super::{
    super::{
        Binding, Doubt, Placed,
        neighbours::Evidence,
        tests::{MINE, bound, decision, host, identity, neighbour},
    },
    *,
};

/// A decision of an endpoint that was seen at this port of the gateway, at this second.
fn seen_at(endpoint: &str, port: u16, second: i64) -> Decision {
    Decision {
        observed: Some(([203, 0, 113, 1], port).into()),
        observed_by: Some(([198, 51, 100, 80], 8443).into()),
        observed_at: Some(Timestamp::from_second(second).expect("a time")),
        ..decision(endpoint, None, &[])
    }
}

/// The address with this last number, in this zone.
fn behind(last: u8, zone: Option<u32>) -> Observed {
    let address = Address::v4([10, 0, 0, last]);
    Observed::Behind { address, zone }
}

fn bind(identity: &mut Identity, decision: &Decision, observed: Observed) -> Binding {
    let observed = Some(observed);
    identity.bind(Placed { decision, observed })
}

#[test]
fn the_host_behind_the_connection_counts() {
    let mut identity = identity();
    let binding = bind(&mut identity, &seen_at("a", 1024, 1), behind(5, Some(1)));
    assert_eq!(binding.hosts, bound(host(1, 5), None));
    assert_eq!(binding.doubts, []);
    let binding = bind(&mut identity, &seen_at("b", 1025, 1), behind(6, None));
    assert_eq!(binding.hosts, bound(host(1, 6), None), "nobody says where");
}

#[test]
fn what_was_found_counts_for_the_same_report_alone() {
    let mut identity = identity();
    let decision = seen_at("a", 1024, 1);
    bind(&mut identity, &decision, behind(5, Some(1)));
    let known = |identity: &Identity, decision: &Decision| {
        let report = Report::of(decision).expect("a report");
        identity.traced("a", &report)
    };
    assert_eq!(known(&identity, &decision), Some(behind(5, Some(1))));
    assert_eq!(known(&identity, &seen_at("a", 1024, 2)), None);
    assert_eq!(known(&identity, &seen_at("a", 1025, 1)), None);

    let kept = identity.new_traces().expect("something new");
    assert_eq!(identity.new_traces(), None, "once");
    let mut next = super::super::tests::identity();
    next.recall(kept);
    assert_eq!(known(&next, &decision), Some(behind(5, Some(1))));

    identity.bind_all::<&Decision>([]);
    assert_eq!(known(&identity, &decision), None, "it is decided no more");
}

#[test]
fn who_is_not_found_is_nobody_until_it_is() {
    let mut identity = identity();
    let decision = seen_at("a", 1024, 1);
    let from = decision.observed.expect("observed");
    let binding = bind(&mut identity, &decision, Observed::Untraced);
    assert_eq!(binding.hosts, []);
    assert!(matches!(binding.doubts[..], [Doubt::Untraced { .. }]));
    let waiting = identity.untraced_from(from);
    assert_eq!(waiting.len(), 1);
    assert_eq!(identity.untraced_from(([203, 0, 113, 1], 1023).into()), []);

    let (endpoint, _) = &waiting[0];
    let rebound = identity.trace(endpoint, behind(5, Some(1))).expect("found");
    assert_eq!(rebound.binding.hosts, bound(host(1, 5), None));
    assert_eq!(identity.untraced(), [], "found");
    // What is seen there later belongs to it.
    let news = identity.neighbour(&neighbour(host(1, 5), Evidence::Answers(MINE)), true);
    assert_eq!(news.rebound[0].binding.hosts, bound(host(1, 5), Some(MINE)));

    bind(&mut identity, &seen_at("b", 1025, 1), Observed::Untraced);
    identity.forget(&"b".into());
    assert_eq!(identity.untraced(), [], "forgotten");
    bind(&mut identity, &seen_at("b", 1025, 1), Observed::Untraced);
    bind(&mut identity, &seen_at("b", 1026, 2), behind(6, Some(1)));
    assert_eq!(identity.untraced(), [], "it has reported again");
}

#[test]
fn an_endpoint_that_is_known_by_its_claims_is_not_doubted() {
    let mut identity = identity();
    identity.sight(host(1, 7), MINE);
    let decision = Decision {
        claims: decision("a", None, &[(7, MINE)]).claims,
        ..seen_at("a", 1024, 1)
    };
    let binding = bind(&mut identity, &decision, Observed::Untraced);
    assert_eq!(binding.hosts, bound(host(1, 7), Some(MINE)));
    assert_eq!(binding.doubts, []);
}

#[test]
fn the_zones_of_token_and_host_must_agree() {
    let mut identity = identity();
    let stray = seen_at("a", 1024, 1);
    let binding = bind(&mut identity, &stray, behind(5, Some(0)));
    assert_eq!(binding.hosts, []);
    let [Doubt::OtherZone { zone, found, .. }] = &binding.doubts[..] else {
        panic!("{:?}", binding.doubts);
    };
    assert_eq!((zone.as_str(), found.as_str()), ("lab", "office"));
    // The same address is in its own zone too.
    let news = identity.neighbour(&neighbour(host(1, 5), Evidence::Told(MINE)), false);
    assert_eq!(news.rebound[0].binding.hosts, bound(host(1, 5), None));
    assert_eq!(news.rebound[0].binding.doubts, []);
    // A fixed rule knows better.
    let binding = bind(&mut identity, &stray, Observed::Fixed(host(0, 5)));
    assert!(matches!(binding.doubts[..], [Doubt::OtherZone { .. }]));
    assert_eq!(binding.hosts, []);
    let binding = bind(&mut identity, &stray, Observed::Fixed(host(1, 5)));
    assert_eq!(binding.hosts, bound(host(1, 5), None));
}
