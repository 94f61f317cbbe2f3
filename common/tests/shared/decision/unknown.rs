//! Unknown hosts: held for a while, asked about, and then stopped.

use enforcer_common::{
    decide::{Ask, Direction, Reason, Verdict},
    host::{Address, Asked},
    packet::tcp_flag::{ACK, SYN},
};

use super::{
    model::Model,
    world::{NOW, host, icmp, judged, judged_at, tcp, udp},
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
        datagram,
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
