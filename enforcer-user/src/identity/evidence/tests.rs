use proptest::{collection::vec, option, prelude::*};

use super::{
    super::{
        Bound,
        tests::{MINE, OTHER, bound, decision, host, identity, neighbour},
    },
    Evidence::{Answers, Gone, Silent, Told},
    *,
};

const THIRD: Mac = Mac([2, 0, 0, 0, 0, 3]);

fn here() -> Host {
    host(1, 7)
}

/// What the kernel says of the host `here`, which is decided.
fn say(identity: &mut Identity, evidence: Evidence) -> News {
    identity.neighbour(&neighbour(here(), evidence), true)
}

/// The hosts of the only endpoint that is another's since.
fn hosts(news: &News) -> Vec<Bound> {
    let [rebound] = &news.rebound[..] else {
        panic!("{news:?}");
    };
    rebound.binding.hosts.clone()
}

/// Whether this is still there.
fn asks(mac: Mac) -> Question {
    Question {
        host: here(),
        mac,
        interface: Some(1),
    }
}

#[test]
fn a_host_is_bound_to_what_answers_and_not_to_what_is_told() {
    let mut identity = identity();
    let binding = identity.bind(&decision("a", Some(7), &[]));
    assert_eq!(binding.hosts, bound(here(), None));
    assert!(binding.by_address);
    let told = say(&mut identity, Told(MINE));
    assert_eq!(told.question, Some(asks(MINE)), "whether it answers");
    assert_eq!(identity.unconfirmed(&here()), Some(asks(MINE)));
    assert_eq!(identity.bound(&here()), None);
    assert_eq!(say(&mut identity, Told(MINE)), News::default(), "once");
    say(&mut identity, Answers(MINE));
    assert_eq!(identity.bound(&here()), Some(MINE));
    assert_eq!(identity.unconfirmed(&here()), None);
    for evidence in [Answers(MINE), Told(MINE), Silent, Gone] {
        assert_eq!(
            say(&mut identity, evidence),
            News::default(),
            "{evidence:?}"
        );
    }
}

#[test]
fn a_host_behind_a_router_is_bound_to_nothing() {
    let mut identity = identity();
    identity.sight(here(), OTHER);
    let binding = identity.bind(&decision("a", Some(7), &[(7, MINE)]));
    assert_eq!(binding.hosts, bound(here(), None));
    let binding = identity.bind(&decision("a", Some(7), &[]));
    assert_eq!(binding.hosts, bound(here(), None));
}

#[test]
fn what_an_endpoint_says_and_what_answers_bind_nothing_when_they_differ() {
    let mut identity = identity();
    say(&mut identity, Answers(OTHER));
    let binding = identity.bind(&decision("a", Some(7), &[(7, MINE)]));
    assert_eq!(binding.hosts, bound(here(), None));
    assert_eq!(binding.doubts.len(), 1);
}

#[test]
fn neither_a_stranger_nor_silence_alone_moves_an_address() {
    let mut identity = identity();
    say(&mut identity, Answers(MINE));
    identity.bind(&decision("a", Some(7), &[(7, MINE)]));
    let stranger = identity.stranger(here(), OTHER);
    assert_eq!(
        (stranger.rebound, stranger.question),
        (vec![], Some(asks(MINE)))
    );
    say(&mut identity, Answers(MINE));
    assert_eq!(say(&mut identity, Silent), News::default());
    assert_eq!(identity.stranger(here(), MINE), News::default(), "itself");
    assert_eq!(identity.bound(&here()), Some(MINE));
}

#[test]
fn a_decision_about_a_device_does_not_follow_its_address() {
    let mut identity = identity();
    let first = decision("a", Some(7), &[(7, MINE)]);
    say(&mut identity, Answers(MINE));
    identity.bind(&first);
    identity.stranger(here(), OTHER);
    let moved = say(&mut identity, Silent);
    let (from, to) = (MINE, OTHER);
    let host = here();
    assert_eq!(moved.moved, Some(Moved { host, from, to }));
    assert_eq!(hosts(&moved), []);
    // The same again says nothing new, also in a snapshot.
    assert_eq!(identity.bind(&first).hosts, []);
    assert_eq!(identity.bind_all([&first])[0].hosts, []);
    // The server has seen it there once more.
    let mut again = first.clone();
    again.observed = Some("10.0.0.7:40001".parse().expect("an address"));
    assert_eq!(identity.bind(&again).hosts, bound(here(), None));
}

#[test]
fn a_device_that_comes_back_has_its_address_again() {
    let mut identity = identity();
    say(&mut identity, Answers(MINE));
    identity.bind(&decision("a", Some(7), &[(7, MINE)]));
    identity.stranger(here(), OTHER);
    say(&mut identity, Silent);
    let back = identity.sight(here(), MINE);
    assert_eq!(back[0].binding.hosts, bound(here(), Some(MINE)));
}

#[test]
fn a_decision_about_an_address_follows_it() {
    let mut identity = identity();
    say(&mut identity, Answers(MINE));
    let binding = identity.bind(&decision("a", Some(7), &[]));
    assert_eq!(binding.hosts, bound(here(), Some(MINE)));
    assert!(binding.by_address);
    identity.stranger(here(), OTHER);
    say(&mut identity, Silent);
    assert_eq!(identity.bound(&here()), None);
    say(&mut identity, Answers(OTHER));
    assert_eq!(identity.bound(&here()), Some(OTHER));
}

#[test]
fn silence_on_another_interface_is_none() {
    let mut identity = identity();
    say(&mut identity, Answers(MINE));
    identity.stranger(here(), OTHER);
    let elsewhere = Neighbour {
        interface: 2,
        ..neighbour(here(), Silent)
    };
    assert_eq!(identity.neighbour(&elsewhere, true), News::default());
    assert!(say(&mut identity, Silent).moved.is_some());
}

#[test]
fn a_device_with_several_interfaces_is_bound_to_none() {
    let mut identity = identity();
    say(&mut identity, Answers(MINE));
    let both = decision("a", Some(7), &[(7, MINE), (8, OTHER)]);
    assert_eq!(identity.bind(&both).hosts[0].mac, Some(MINE));
    let stranger = identity.stranger(here(), OTHER);
    assert_eq!(stranger.question, None);
    assert_eq!(hosts(&stranger)[0].mac, None);
    // It has the address whichever of its interfaces answers there.
    let answered = say(&mut identity, Answers(OTHER));
    assert!(hosts(&answered).iter().any(|bound| bound.host == here()));
}

#[test]
fn nobody_is_bound_in_a_loose_zone() {
    let mut identity = identity().loose_in([1].into());
    say(&mut identity, Answers(MINE));
    let binding = identity.bind(&decision("a", Some(7), &[(7, MINE)]));
    assert_eq!(binding.hosts, bound(here(), None));
    assert_eq!(identity.bound(&here()), None);
}

#[test]
fn bindings_outlive_the_process() {
    let mut identity = identity();
    identity.remember([(here(), MINE)]);
    let binding = identity.bind(&decision("a", Some(7), &[(7, MINE)]));
    assert_eq!(binding.hosts, bound(here(), Some(MINE)));
    assert_eq!(say(&mut identity, Told(MINE)), News::default());
    // Where it was is not known any more: wherever the kernel asks will do.
    identity.stranger(here(), OTHER);
    assert!(say(&mut identity, Silent).moved.is_some());
}

/// What happens on an honest network: one device at a time has the address.
#[derive(Clone, Debug)]
enum Step {
    /// Another device has it from now on.
    Change(Mac),
    /// The kernel hears of whoever has it.
    Tell,
    /// The kernel asks whoever has it by its own.
    Ask,
    /// The kernel forgets.
    Forget,
    /// The server tells of the device that has it, and which MAC addresses that says to have.
    Decide(Option<Mac>, u16),
}

fn a_mac() -> impl Strategy<Value = Mac> {
    prop::sample::select(&[MINE, OTHER, THIRD][..])
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        a_mac().prop_map(Step::Change),
        Just(Step::Tell),
        Just(Step::Ask),
        Just(Step::Forget),
        (option::of(a_mac()), 1..4u16).prop_map(|(mac, port)| Step::Decide(mac, port)),
    ]
}

/// The MAC address that the datapath holds against the host, if it is decided.
fn required(identity: &mut Identity, last: &enforcer_protocol::decision::Decision) -> Option<Mac> {
    let hosts = identity.bind(last).hosts;
    let of_it = hosts.iter().find(|bound| bound.host == here());
    of_it.and_then(|bound| bound.mac)
}

proptest! {
    /// Whoever sends is let send after one question at most: nobody honest stays cut off.
    #[test]
    fn an_honest_device_is_not_kept_from_its_address(steps in vec(a_step(), 0..40)) {
        let mut identity = identity();
        let (mut mac, mut last) = (MINE, decision("a", Some(7), &[]));
        for step in steps {
            match step {
                Step::Change(to) => mac = to,
                Step::Tell if required(&mut identity, &last).is_none_or(|bound| bound == mac) => {
                    _ = say(&mut identity, Told(mac));
                }
                Step::Ask if required(&mut identity, &last).is_none_or(|bound| bound == mac) => {
                    _ = say(&mut identity, Answers(mac));
                }
                Step::Tell | Step::Ask => {}
                Step::Forget => _ = say(&mut identity, Gone),
                Step::Decide(claimed, port) => {
                    let claims: Vec<_> = claimed.into_iter().map(|mac| (7, mac)).collect();
                    last = decision("a", Some(7), &claims);
                    last.observed = Some(([10, 0, 0, 7], port).into());
                }
            }
            if required(&mut identity, &last).is_some_and(|bound| bound != mac) {
                let question = identity.stranger(here(), mac).question.expect("a question");
                let answer = if question.mac == mac { Answers(mac) } else { Silent };
                say(&mut identity, answer);
            }
            let bound = required(&mut identity, &last);
            prop_assert!(bound.is_none_or(|bound| bound == mac), "{:?}, not {:?}", bound, mac);
        }
    }
}
