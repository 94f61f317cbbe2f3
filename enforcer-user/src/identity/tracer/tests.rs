use std::net::SocketAddr;

use enforcer_common::host::Host;
use enforcer_protocol::decision::Claim;
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{Static, tests::decision},
    *,
};
use crate::conntrack::Translation;

/// Addresses of documentation, which no connection of the machine of this test has.
const OUTSIDE: [u8; 4] = [203, 0, 113, 1];
const SERVER: SocketAddr = at([198, 51, 100, 80], 8443);
const OTHER_SERVER: SocketAddr = at([198, 51, 100, 81], 8443);
/// Where something behind the gateway takes connections for the servers.
const BALANCER: SocketAddr = at([198, 51, 100, 90], 443);

const fn at(address: [u8; 4], port: u16) -> SocketAddr {
    let [a, b, c, d] = address;
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d)), port)
}

/// One who knows these ends of servers, and that ports from 1 to 99 of another address are a host's.
fn tracer(servers: &[SocketAddr]) -> Tracer {
    let statics = Statics::new([Static {
        outside: [203, 0, 113, 2].into(),
        ports: 1..=99,
        host: host(),
    }]);
    let (servers, _) = watch::channel(servers.iter().copied().collect());
    let (wanted, _) = mpsc::channel(1);
    let machine = HashSet::from([OUTSIDE.into()]);
    Tracer::new(statics, machine, servers, wanted, Arc::default())
}

fn host() -> Host {
    Host {
        zone: 1,
        address: Address::v4([10, 0, 0, 9]),
    }
}

/// A report that came to the server from there, now.
fn report(from: SocketAddr, to: Option<SocketAddr>) -> Decision {
    Decision {
        observed: Some(from),
        observed_by: to,
        observed_at: Some(Timestamp::now()),
        ..decision("a", None, &[])
    }
}

fn begins(tracer: &mut Tracer, port: u16, to: SocketAddr, last: u8) {
    let translation = Translation {
        outside: Outside {
            from: at(OUTSIDE, port),
            to,
        },
        inside: at([10, 0, 0, last], 40_000),
    };
    tracer.take(&Told::Begins(translation));
}

fn locate(tracer: &mut Tracer, decision: &Decision) -> Option<Observed> {
    tracer.locate(decision, &InterfaceZones::new())
}

fn behind(last: u8) -> Observed {
    let address = Address::v4([10, 0, 0, last]);
    Observed::Behind {
        address,
        zone: None,
    }
}

#[test]
fn a_connection_that_was_watched_is_found_by_both_its_ends() {
    let mut tracer = tracer(&[SERVER, OTHER_SERVER]);
    begins(&mut tracer, 1024, SERVER, 5);
    begins(&mut tracer, 1024, OTHER_SERVER, 6);
    let from = at(OUTSIDE, 1024);
    assert_eq!(
        locate(&mut tracer, &report(from, Some(SERVER))),
        Some(behind(5))
    );
    let other = report(from, Some(OTHER_SERVER));
    assert_eq!(locate(&mut tracer, &other), Some(behind(6)));
    let unsaid = report(from, None);
    assert_eq!(locate(&mut tracer, &unsaid), Some(Observed::Untraced));
    let nobodys = report(at(OUTSIDE, 1025), Some(SERVER));
    assert_eq!(locate(&mut tracer, &nobodys), Some(Observed::Untraced));
}

#[test]
fn a_connection_with_one_server_is_never_taken_for_one_with_another() {
    let mut tracer = tracer(&[SERVER, OTHER_SERVER]);
    begins(&mut tracer, 1024, OTHER_SERVER, 6);
    let lost = report(at(OUTSIDE, 1024), Some(SERVER));
    assert_eq!(locate(&mut tracer, &lost), Some(Observed::Untraced));
    let waiting = vec![("a".into(), Report::of(&lost).expect("a report"))];
    assert_eq!(tracer.retry(waiting, &InterfaceZones::new()), []);
}

#[test]
fn a_server_that_is_behind_something_is_found_by_the_near_end() {
    let mut tracer = tracer(&[BALANCER]);
    begins(&mut tracer, 1024, BALANCER, 5);
    let from = at(OUTSIDE, 1024);
    let decision = report(from, Some(SERVER));
    assert_eq!(locate(&mut tracer, &decision), Some(behind(5)));
    let late = report(at(OUTSIDE, 1025), Some(SERVER));
    let waiting = vec![("a".into(), Report::of(&late).expect("a report"))];
    assert_eq!(tracer.retry(waiting.clone(), &InterfaceZones::new()), []);
    begins(&mut tracer, 1025, BALANCER, 6);
    let found = tracer.retry(waiting, &InterfaceZones::new());
    assert_eq!(found.first().map(|(_, found)| *found), Some(behind(6)));
}

#[test]
fn a_fixed_rule_comes_first_and_leaves_no_port_to_guess() {
    let mut tracer = tracer(&[SERVER]);
    let fixed = |port| report(at([203, 0, 113, 2], port), Some(SERVER));
    let found = locate(&mut tracer, &fixed(99));
    assert_eq!(found, Some(Observed::Fixed(host())));
    let found = locate(&mut tracer, &fixed(100));
    assert_eq!(found, Some(Observed::Untraced));
}

#[test]
fn an_endpoint_that_has_the_address_itself_was_not_translated() {
    let mut tracer = tracer(&[SERVER]);
    let claiming = |address: [u8; 4]| Decision {
        claims: vec![Claim {
            address: address.into(),
            mac: "02:00:00:00:00:01".to_owned(),
        }],
        ..report(at(address, 1024), Some(SERVER))
    };
    let itself = Observed::Itself(Address::v4([10, 0, 0, 7]));
    assert_eq!(locate(&mut tracer, &claiming([10, 0, 0, 7])), Some(itself));
    // Nobody has an address of the gateway, whatever he says.
    assert_eq!(
        locate(&mut tracer, &claiming(OUTSIDE)),
        Some(Observed::Untraced)
    );
    assert_eq!(locate(&mut tracer, &decision("a", None, &[])), None);
}

#[test]
fn a_report_is_timed_by_the_servers_clock() {
    let mut tracer = tracer(&[SERVER]);
    begins(&mut tracer, 1024, SERVER, 5);
    let hour = SignedDuration::from_hours(1);
    let there = Timestamp::now() + hour;
    let decision = Decision {
        observed_at: Some(there),
        ..report(at(OUTSIDE, 1024), Some(SERVER))
    };
    let date = there.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    tracer.clock.hear(&date);
    assert_eq!(locate(&mut tracer, &decision), Some(behind(5)));
    let earlier = Decision {
        observed_at: Some(there - hour),
        ..decision
    };
    assert_eq!(locate(&mut tracer, &earlier), Some(Observed::Untraced));
}
