use std::collections::HashMap;

use proptest::{collection::vec, prelude::*};

use super::*;

const SERVER: &str = "198.51.100.80:8443";

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

/// The connection of the host with this last number, under this port of the gateway.
fn translation(port: u16, host: u8) -> Translation {
    Translation {
        outside: outside(port),
        inside: ([10, 0, 0, host], 40_000).into(),
    }
}

fn outside(port: u16) -> Outside {
    Outside {
        from: ([203, 0, 113, 1], port).into(),
        to: at(SERVER),
    }
}

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).expect("a time")
}

fn found(translations: &Translations, port: u16, reported: i64) -> Option<u8> {
    let inside = translations.find(outside(port), Some(second(reported)))?;
    match inside.ip() {
        IpAddr::V4(address) => Some(address.octets()[3]),
        IpAddr::V6(_) => None,
    }
}

#[test]
fn a_port_is_whose_it_was_when_the_report_came() {
    let mut table = Translations::default();
    table.begin(translation(1024, 5), second(100));
    table.end(translation(1024, 5), second(101));
    assert_eq!(found(&table, 1024, 100), Some(5), "also when it is closed");
    assert_eq!(found(&table, 1024, 95), Some(5), "by a clock that is slow");
    assert_eq!(found(&table, 1024, 110), Some(5), "by a clock that is fast");
    assert_eq!(found(&table, 1024, 80), None, "before it was");
    assert_eq!(found(&table, 1024, 120), None, "after it was");
    assert_eq!(found(&table, 1025, 100), None);

    table.begin(translation(1024, 6), second(140));
    assert_eq!(found(&table, 1024, 100), None, "not the one who came next");
    assert_eq!(found(&table, 1024, 141), Some(6));
    let at_any_time = table.find(outside(1024), None);
    assert_eq!(at_any_time, Some(translation(1024, 6).inside));
}

#[test]
fn the_server_may_be_behind_a_translation_of_its_own() {
    let mut table = Translations::default();
    table.begin(translation(1024, 5), second(0));
    let from = outside(1024).from;
    assert_eq!(
        table.find_from(from, None),
        Some(translation(1024, 5).inside)
    );
    assert_eq!(table.find_from(outside(1025).from, None), None);
    let other = Translation {
        outside: Outside {
            from,
            to: at("198.51.100.81:8443"),
        },
        inside: at("10.0.0.6:40000"),
    };
    table.begin(other, second(0));
    assert_eq!(table.find_from(from, None), None, "two hosts: none");
    assert!(table.is_outside(from.ip()) && !table.is_outside(at(SERVER).ip()));
}

#[test]
fn what_ended_unnoticed_is_found_out() {
    let mut table = Translations::default();
    table.begin(translation(1, 1), second(0));
    table.begin(translation(2, 2), second(0));
    table.all(&[translation(2, 2), translation(3, 3)], second(60));
    assert_eq!(found(&table, 1, 90), None);
    assert_eq!(found(&table, 2, 90), Some(2));
    assert_eq!(found(&table, 2, 5), Some(2), "the same since then");
    assert_eq!(found(&table, 3, 60), Some(3));
    assert_eq!(found(&table, 3, 5), None, "it may have been another's");
}

#[test]
fn one_who_opens_many_pushes_out_his_own() {
    let mut table = Translations::default();
    table.begin(translation(1, 5), second(0));
    for port in 1000..3000 {
        table.begin(translation(port, 66), second(1));
    }
    assert_eq!(table.len(), OF_ONE + 1);
    assert_eq!(found(&table, 1, 0), Some(5));
    assert_eq!(found(&table, 1000, 1), None);
    assert_eq!(found(&table, 2999, 1), Some(66));
}

#[test]
fn all_together_are_bounded() {
    let mut table = Translations::default();
    let ports = u16::MAX;
    for round in 0..3_u8 {
        for port in 1..=ports {
            let opener = [10, round, port.to_be_bytes()[0], port.to_be_bytes()[1]];
            let translation = Translation {
                outside: Outside {
                    from: ([203, 0, 113, round], port).into(),
                    to: at(SERVER),
                },
                inside: (opener, 1).into(),
            };
            table.begin(translation, second(0));
            table.end(translation, second(0));
        }
    }
    assert_eq!(table.len(), ROWS);
    assert!(table.ended.len() <= 3 * ROWS);
    table.expire(second(0) + KEPT + SLACK);
    assert!(table.is_empty() && table.ages.is_empty() && table.openers.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Begin(u16, u8),
    End(u16),
    Wait(i64),
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u16, 1..5_u8).prop_map(|(port, host)| Step::Begin(port, host)),
        (0..6_u16).prop_map(Step::End),
        (0..400_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Against the plainest model: the whole history of every port. Whoever is found had the port at that time or
    /// within the slack of it, and who has it now is found.
    #[test]
    fn whoever_is_found_had_the_port(steps in vec(a_step(), 0..60)) {
        let mut table = Translations::default();
        let mut history: HashMap<u16, Vec<(u8, i64, Option<i64>)>> = HashMap::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Begin(port, host) => {
                    let of_it = history.entry(port).or_default();
                    if let Some((last, _, end @ None)) = of_it.last_mut() {
                        *end = Some(now);
                        let last = *last;
                        table.end(translation(port, last), second(now));
                    }
                    history.entry(port).or_default().push((host, now, None));
                    table.begin(translation(port, host), second(now));
                }
                Step::End(port) => {
                    if let Some((host, _, end @ None)) = history.entry(port).or_default().last_mut() {
                        *end = Some(now);
                        table.end(translation(port, *host), second(now));
                    }
                }
                Step::Wait(seconds) => now += seconds,
            }
            table.expire(second(now));
            for (port, of_it) in &history {
                for reported in [now, now - 5, now - 100] {
                    if let Some(host) = found(&table, *port, reported) {
                        let slack = SLACK.as_secs();
                        let had = of_it.iter().any(|(owner, begin, end)| {
                            *owner == host && begin - slack <= reported
                                && end.is_none_or(|end| reported <= end + slack)
                        });
                        prop_assert!(had, "{port} {reported} {host}: {of_it:?}");
                    }
                }
                if let Some((host, _, None)) = of_it.last() {
                    prop_assert_eq!(found(&table, *port, now), Some(*host));
                }
            }
            let open = history.values().filter(|of_it| matches!(of_it.last(), Some((.., None))));
            prop_assert!(table.len() >= open.count() && table.len() <= history.len());
        }
    }
}
