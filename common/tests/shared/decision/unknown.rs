//! Unknown hosts: held for a while, asked about, and then stopped.

use enforcer_common::{
    decide::{Ask, Basis, Direction, Reason, Verdict},
    host::{Address, Asked},
    packet::{
        Transport,
        tcp_flag::{ACK, SYN},
    },
    role::RoleId,
    settings::Undecided,
};
use proptest::prelude::*;

use super::{
    model::Model,
    traffic::{Sent, direction, icmp, judge, judged, judged_at, packet, tcp, udp},
    world::{NOW, host, world},
};

const HOST: Address = Address::v4([10, 0, 0, 1]);
const SERVER: Address = Address::v4([10, 0, 0, 2]);

#[test]
fn the_first_packet_goes_out_and_nothing_comes_back() {
    let model = Model::empty();
    let out = judged(&tcp(HOST, (SERVER, 443), SYN), Direction::FromHost, &model);
    assert_eq!(
        (out.verdict, out.reason, out.ask),
        (Verdict::Pass, Reason::FirstPacket, Ask::First)
    );
    let back = tcp(SERVER, (HOST, 40_000), SYN | ACK);
    let back = judged(&back, Direction::ToHost, &model);
    assert_eq!((back.verdict, back.ask), (Verdict::Drop, Ask::No));
}

#[test]
fn what_opens_no_flow_is_held() {
    let mut model = Model::empty();
    let datagram = udp((HOST, 5000), (SERVER, 53));
    for packet in [
        tcp(HOST, (SERVER, 443), ACK),
        datagram.clone(),
        icmp(HOST, SERVER, 8, 64),
    ] {
        let judgement = judged(&packet, Direction::FromHost, &model);
        assert_eq!(
            (judgement.verdict, judgement.reason, judgement.ask),
            (Verdict::Drop, Reason::Held, Ask::First)
        );
    }
    model.settings.first_datagram = 1;
    let judgement = judged(&datagram, Direction::FromHost, &model);
    assert_eq!(judgement.reason, Reason::FirstPacket);
}

#[test]
fn a_host_is_held_no_longer_than_the_answer_may_take() {
    let mut model = Model::empty();
    let syn = tcp(HOST, (SERVER, 443), SYN);
    let (mut since, mut asks) = (None, 0);
    for now in NOW..NOW + 1000 {
        let judgement = judged_at(&syn, Direction::FromHost, &model, now);
        let held = now - since.unwrap_or(now) < model.settings.unknown_timeout;
        let expected = if held {
            Reason::FirstPacket
        } else {
            Reason::NoAnswer
        };
        assert_eq!(judgement.reason, expected, "{}", now - NOW);
        let first = match judgement.ask {
            Ask::No => continue,
            Ask::First => now,
            Ask::Again(first) => first,
        };
        since = Some(first);
        asks += 1;
        model.asked.insert(
            host(HOST),
            Asked {
                since: first,
                last: now,
            },
        );
    }
    assert_eq!(
        (since, asks),
        (Some(NOW), 10),
        "asked once each `report_every`"
    );
}

#[test]
fn where_undecided_hosts_are_to_pass_they_do_so_in_time() {
    let mut model = Model::empty();
    let packet = tcp(HOST, (SERVER, 443), ACK);
    let reason = |model: &Model| {
        let judgement = judged(&packet, Direction::FromHost, model);
        (judgement.verdict, judgement.reason)
    };
    let (held, passes) = (
        (Verdict::Drop, Reason::Held),
        (Verdict::Pass, Reason::NoAnswer),
    );
    model.settings.undecided = Undecided::PassLater as u8;
    assert_eq!(reason(&model), held, "nobody was asked yet");
    let asked = |since| Asked { since, last: NOW };
    model.asked.insert(host(HOST), asked(NOW));
    assert_eq!(reason(&model), held, "the answer is awaited");
    let long_ago = NOW - model.settings.unknown_timeout;
    model.asked.insert(host(HOST), asked(long_ago));
    assert_eq!(reason(&model), passes);
    model.settings.undecided = Undecided::Pass as u8;
    model.asked.clear();
    assert_eq!(reason(&model), passes, "at once");
    model.decide(host(HOST), RoleId::DENIED);
    assert_eq!(reason(&model).0, Verdict::Drop, "what is decided counts");
}

#[test]
fn a_host_that_was_silent_for_long_is_new_again() {
    let mut model = Model::empty();
    let long_ago = NOW - model.settings.forget_after;
    model.asked.insert(
        host(HOST),
        Asked {
            since: long_ago,
            last: long_ago,
        },
    );
    let judgement = judged(&tcp(HOST, (SERVER, 443), SYN), Direction::FromHost, &model);
    assert_eq!(
        (judgement.reason, judgement.ask),
        (Reason::FirstPacket, Ask::First)
    );
}

/// Each CPU reads the clock before the table, so another may have written a later time meanwhile.
#[test]
fn a_question_that_another_cpu_asked_a_tick_later_is_not_forgotten() {
    let mut model = Model::empty();
    let since = NOW - model.settings.unknown_timeout;
    model.asked.insert(
        host(HOST),
        Asked {
            since,
            last: NOW + 1,
        },
    );
    let judgement = judged(&tcp(HOST, (SERVER, 443), SYN), Direction::FromHost, &model);
    assert_eq!(
        (judgement.reason, judgement.ask),
        (Reason::NoAnswer, Ask::No)
    );

    model.asked.insert(
        host(HOST),
        Asked {
            since: NOW + 1,
            last: NOW + 1,
        },
    );
    let judgement = judged(&tcp(HOST, (SERVER, 443), SYN), Direction::FromHost, &model);
    assert_eq!(
        (judgement.reason, judgement.ask),
        (Reason::FirstPacket, Ask::No)
    );
}

/// Who may ask for how much is limited: those above it are held, and ask with a later packet.
#[test]
fn above_the_limit_hosts_are_held_until_they_may_ask() {
    let mut model = Model::empty();
    let syn = tcp(HOST, (SERVER, 443), SYN);
    model.may_ask = false;
    let judgement = judged(&syn, Direction::FromHost, &model);
    assert_eq!((judgement.reason, judgement.ask), (Reason::Held, Ask::No));
    model.may_ask = true;
    let judgement = judged(&syn, Direction::FromHost, &model);
    assert_eq!(
        (judgement.reason, judgement.ask),
        (Reason::FirstPacket, Ask::First)
    );
}

#[test]
fn of_datagrams_only_the_very_first_goes_out() {
    let mut model = Model::empty();
    model.settings.first_datagram = 1;
    let datagram = udp((HOST, 5000), (SERVER, 53));
    let now = |model: &Model, sent: &Sent| judged(sent, Direction::FromHost, model).reason;
    assert_eq!(now(&model, &datagram), Reason::FirstPacket);
    let asked = Asked {
        since: NOW,
        last: NOW,
    };
    model.asked.insert(host(HOST), asked);
    assert_eq!(now(&model, &datagram), Reason::Held);
    let syn = tcp(HOST, (SERVER, 443), SYN);
    assert_eq!(now(&model, &syn), Reason::FirstPacket);
    assert_eq!(now(&model, &syn.carrying(b"data")), Reason::Held);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_goes_out_of_an_unknown_host_opens_a_flow(model in world(), sent in packet()) {
        let judged = judge(&sent.frame, Direction::FromHost, &model);
        if judged.judgement.reason != Reason::FirstPacket {
            return Ok(());
        }
        let (host, known) = judged.host.expect("a host");
        prop_assert_eq!(known.basis, Basis::Undecided);
        let datagram = matches!(
            sent.packet.transport_header(),
            Transport::Datagram(_) | Transport::Icmp(_)
        );
        let forget_after = model.settings.forget_after;
        let new = model.asked.get(&host).is_none_or(|asked| NOW - asked.last >= forget_after);
        let very_first = new && model.settings.first_datagram == 1;
        prop_assert!(sent.packet.is_bare_syn() || datagram && very_first);
        prop_assert!(!new || judged.judgement.ask == Ask::First, "the first packet asks");
    }

    #[test]
    fn only_unknown_hosts_that_send_are_asked_about(
        model in world(),
        sent in packet(),
        way in direction(),
    ) {
        let judged = judge(&sent.frame, way, &model);
        if judged.judgement.ask == Ask::No {
            return Ok(());
        }
        let (_, known) = judged.host.expect("a host");
        prop_assert_eq!((known.basis, way), (Basis::Undecided, Direction::FromHost));
        prop_assert!(model.may_ask);
    }
}
