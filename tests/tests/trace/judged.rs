//! What is said of each packet.

use std::{fmt::Write, net::IpAddr};

use anyhow::{Context, Result, ensure};
use enforcer_common::{
    decide::{Direction, HTTP, Reason, Verdict},
    packet::{Packet, parse_whole},
    role::RoleId,
};
use enforcer_tests::{
    capture::Pcap,
    fixture::{self, Tcp, v4, v6},
    reply::Error,
    table::{Known, Place, Row, Setting, rows},
    trace::Desk,
};
use serde_json::{Value, json};

const GATEWAY: [&str; 4] = ["--address", "192.0.2.1", "--address", "2001:db8::1"];

#[test]
fn every_line_has_the_fields_that_are_documented() -> Result<()> {
    let hosts = "address,role\n192.0.2.10,authorized\n192.0.2.11,quarantine\n2001:db8::12,denied";
    let syn = |from, port| fixture::tcp((from, 1).into(), (v4(99), port).into(), Tcp::Syn, b"");
    let packets = [
        syn(v4(10), 443),
        syn(v4(11), 443),
        syn(v4(11), 80),
        fixture::udp((v6(0x12), 1).into(), (v6(0x99), 2).into(), b"x"),
        syn(v4(13), 443),
        arp(v4(10)),
        fixture::frame(0x88b5, &[0; 28]),
    ];
    let lines = Desk::new()?.trace(hosts, &Pcap::of(&packets), &[])?;
    let line = |packet, action, reason, role, source, destination: Value| {
        json!({
            "packet": packet, "hook": "xdp", "action": action, "reason": reason, "role": role,
            "zone": "lan", "source": source, "destination": destination,
        })
    };
    let server = || json!("192.0.2.99");
    assert_eq!(
        lines,
        [
            line(
                1,
                "pass",
                "role_allows",
                "authorized",
                json!("192.0.2.10"),
                server()
            ),
            line(
                2,
                "reply",
                "role_denies",
                "quarantine",
                json!("192.0.2.11"),
                server()
            ),
            line(
                3,
                "redirect",
                "role_denies",
                "quarantine",
                json!("192.0.2.11"),
                server()
            ),
            line(
                4,
                "drop",
                "role_denies",
                "denied",
                json!("2001:db8::12"),
                json!("2001:db8::99")
            ),
            line(
                5,
                "pass",
                "first_packet",
                "unknown",
                json!("192.0.2.13"),
                server()
            ),
            line(6, "pass", "link", "unknown", Value::Null, Value::Null),
            line(7, "drop", "not_ip", "unknown", Value::Null, Value::Null),
        ]
    );
    Ok(())
}

/// A host asks who has the gateway's address.
fn arp(from: IpAddr) -> Vec<u8> {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (from, v4(1)) else {
        panic!("no IPv4");
    };
    let head = [0, 1, 8, 0, 6, 4, 0, 1];
    let sender = [&fixture::HOST_MAC[..], &from.octets()].concat();
    let target = [&[0; 6][..], &to.octets()].concat();
    fixture::frame(0x0806, &[&head[..], &sender, &target].concat())
}

/// What the datapath does with a row of the table, as a trace calls it.
fn action(row: &Row) -> &'static str {
    match row.done {
        Verdict::Pass => "pass",
        Verdict::Drop => "drop",
        Verdict::Reject => "reply",
        Verdict::Redirect => "redirect",
        Verdict::Close => "close",
    }
}

/// Packets to and from services that a gateway opens by its configuration in other ways than the bench does by hand.
const OTHER_SERVICES: [&str; 3] = [
    "asks the gateway's DNS by TCP",
    "asks the gateway for an address",
    "the gateway offers an address",
];

/// Whether a frame is of a VLAN that has a zone of its own on the bench; the gateway of the traces has but one.
fn is_of_the_other_zone(frame: &[u8]) -> bool {
    let mut packet = Packet::EMPTY;
    let _ = parse_whole(frame, &mut packet);
    packet.vlans.outer == 20
}

/// Packets of a host before the one of the row, in the same capture; `None` when a capture at this hook
/// cannot make the host what the row says.
fn before(row: &Row, at: &Place) -> Option<Vec<Vec<u8>>> {
    let sends = row.way == Direction::FromHost;
    if row.setting != Setting::Usual
        || OTHER_SERVICES.contains(&row.what)
        || is_of_the_other_zone(&(row.packet)(at))
    {
        return None;
    }
    match row.known {
        Known::As(_) => role(row.known).map(|_| Vec::new()),
        Known::Outside | Known::Bypassed | Known::Nobody => Some(Vec::new()),
        Known::OnPortal if sends => Some(vec![at.tcp(HTTP, Tcp::Syn)]),
        Known::Asked if sends => Some(vec![at.tcp(443, Tcp::Syn)]),
        _ => None,
    }
}

fn role(known: Known) -> Option<&'static str> {
    let role = match known {
        Known::As(role) => role,
        Known::OnPortal => RoleId::QUARANTINE,
        _ => return None,
    };
    let mut names = RoleId::BUILT_IN.iter();
    names.find(|(id, _)| *id == role).map(|(_, name)| *name)
}

/// Every row of the table that a capture can hold, in one capture for each direction.
fn table(way: Direction, hook: &str) -> Result<usize> {
    let (mut hosts, mut packets, mut expected) =
        ("address,role\n".to_owned(), Vec::new(), Vec::new());
    for (number, row) in (1..).zip(rows()).filter(|(_, row)| row.way == way) {
        for family in row.families {
            let at = Place::new(*family, row.known, number);
            let Some(first) = before(&row, &at) else {
                continue;
            };
            if let Some(role) = role(row.known) {
                writeln!(hosts, "{},{role}", at.host)?;
            }
            packets.extend(first);
            packets.push((row.packet)(&at));
            expected.push((packets.len(), row));
        }
    }
    let lines = Desk::new()?.trace(
        &hosts,
        &Pcap::of(&packets),
        &[&["--hook", hook][..], &GATEWAY].concat(),
    )?;
    ensure!(lines.len() == packets.len(), "{} lines", lines.len());
    let mut wrong = String::new();
    for (number, row) in &expected {
        let line = lines.get(number - 1).context("a line")?;
        let reason = Reason::ALL[row.reason as usize].1;
        if line["action"] != action(row) || line["reason"] != reason {
            writeln!(
                wrong,
                "{} ({:?}): {line}, not {} {reason}",
                row.what,
                row.known,
                action(row)
            )?;
        }
    }
    ensure!(wrong.is_empty(), "{wrong}");
    Ok(expected.len())
}

#[test]
fn the_table_of_packets_from_hosts_is_told_as_it_is() -> Result<()> {
    for hook in ["xdp", "tc-ingress"] {
        let count = table(Direction::FromHost, hook)?;
        assert!(count >= 60, "{count} packets at {hook}");
    }
    Ok(())
}

#[test]
fn the_table_of_packets_to_hosts_is_told_as_it_is() -> Result<()> {
    let count = table(Direction::ToHost, "tc-egress")?;
    assert!(count >= 10, "{count} packets");
    Ok(())
}

#[test]
fn monitor_mode_says_what_would_happen_and_sends_nothing() -> Result<()> {
    let hosts = "address,role\n192.0.2.11,quarantine\n192.0.2.10,authorized";
    let syn = |from, port| fixture::tcp((from, 1).into(), (v4(99), port).into(), Tcp::Syn, b"");
    let packets = [syn(v4(11), 443), syn(v4(11), 80), syn(v4(10), 80)];
    let desk = Desk::new()?;
    let arguments = ["--mode", "monitor", "--pcap-out", "sent.pcap"];
    let lines = desk.trace(hosts, &Pcap::of(&packets), &arguments)?;
    let said: Vec<_> = lines
        .iter()
        .map(|line| (line["action"].clone(), line["would"].clone()))
        .collect();
    assert_eq!(
        said,
        [
            (json!("pass"), json!("reply")),
            (json!("pass"), json!("redirect")),
            (json!("pass"), Value::Null),
        ]
    );
    let sent = enforcer_tests::capture::read(&std::fs::read(desk.path("sent.pcap"))?)?;
    assert_eq!(sent, []);
    Ok(())
}

#[test]
fn another_interface_has_another_zone() -> Result<()> {
    let config = format!(
        "{}\n[[interface]]\nname = 'guests'\nzone = 'guest'\n",
        enforcer_tests::trace::CONFIG
    );
    let desk = Desk::with_config(&config)?;
    let hosts = "address,zone,role\n192.0.2.10,lan,authorized\n192.0.2.10,guest,denied";
    let ping = Pcap::of(&[fixture::ping(v4(10), v4(99))]);
    let zone_and_action = |arguments: &[&str]| -> Result<_> {
        let lines = desk.trace(hosts, &ping, arguments)?;
        Ok((lines[0]["zone"].clone(), lines[0]["action"].clone()))
    };
    assert_eq!(zone_and_action(&[])?, (json!("lan"), json!("pass")));
    let guests = ["--interface", "guests"];
    assert_eq!(zone_and_action(&guests)?, (json!("guest"), json!("drop")));
    Ok(())
}

#[test]
fn a_packet_of_a_vlan_is_of_its_zone() -> Result<()> {
    let config =
        "mode = 'enforce'\n[[interface]]\nname = 'lan0'\nvlan = [{ id = 20, zone = 'guest' }]";
    let plain = fixture::ping(v4(10), v4(99));
    let mut tagged = plain.clone();
    tagged.splice(12..12, [0x81, 0, 0, 20]);
    let mut foreign = plain.clone();
    foreign.splice(12..12, [0x81, 0, 0, 21]);
    let hosts = "address,zone,role\n192.0.2.10,lan,authorized\n192.0.2.10,guest,denied";
    let capture = Pcap::of(&[plain, tagged, foreign]);
    let lines = Desk::with_config(config)?.trace(hosts, &capture, &[])?;
    let said: Vec<_> = lines
        .iter()
        .map(|line| (line["zone"].clone(), line["action"].clone()))
        .collect();
    let said_of = |zone, action| (json!(zone), json!(action));
    assert_eq!(
        said,
        [
            said_of("lan", "pass"),
            said_of("guest", "drop"),
            said_of("lan", "drop")
        ]
    );
    assert_eq!(lines[2]["reason"], "vlan");
    Ok(())
}

/// The kernel hands long frames to XDP in pieces.
#[test]
fn long_frames_are_judged_whole() -> Result<()> {
    let hosts = "address,role\n192.0.2.10,authorized\n192.0.2.11,denied\n192.0.2.12,quarantine";
    let datagram =
        |from, length| fixture::udp((from, 1).into(), (v4(99), 2).into(), &vec![7; length]);
    let packets = [
        datagram(v4(10), 8_958),
        datagram(v4(11), 60_000),
        datagram(v4(12), 30_000),
        datagram(v4(10), 100),
    ];
    let desk = Desk::new()?;
    let lines = desk.trace(hosts, &Pcap::of(&packets), &["--pcap-out", "sent.pcap"])?;
    let actions: Vec<_> = lines.iter().map(|line| line["action"].clone()).collect();
    assert_eq!(
        actions,
        ["pass", "drop", "reply", "pass"].map(|word| json!(word))
    );
    let sent = enforcer_tests::capture::read(&std::fs::read(desk.path("sent.pcap"))?)?;
    assert_eq!(sent.len(), 1);
    Error::parse(&sent[0].bytes)?.check_that_it_answers(&packets[2])
}

/// How many replies a second a gateway sends is no matter of how fast a capture is traced.
#[test]
fn replies_are_not_limited_by_time() -> Result<()> {
    let config = format!(
        "{}\n[limits]\nreplies_per_second = 5\n",
        enforcer_tests::trace::CONFIG
    );
    let syn = fixture::tcp((v4(11), 1).into(), (v4(99), 443).into(), Tcp::Syn, b"");
    let capture = Pcap::of(&vec![syn; 300]);
    let hosts = "address,role\n192.0.2.11,quarantine";
    let lines = Desk::with_config(&config)?.trace(hosts, &capture, &[])?;
    assert!(
        lines.iter().all(|line| line["action"] == "reply"),
        "{lines:?}"
    );
    Ok(())
}

#[test]
fn frames_that_are_too_short_for_the_kernel_are_malformed() -> Result<()> {
    let whole = fixture::ping(v4(10), v4(99));
    let packets = [whole[..13].to_vec(), whole[..14].to_vec(), vec![]];
    for hook in ["xdp", "tc-egress"] {
        let lines = Desk::new()?.trace("address,role", &Pcap::of(&packets), &["--hook", hook])?;
        for line in &lines {
            let said = (&line["action"], &line["reason"]);
            assert_eq!(said, (&json!("drop"), &json!("malformed")), "{line}");
        }
        let note = lines[0]["note"].as_str().context("a note")?;
        assert!(note.contains("too short for a test run"), "{note}");
    }
    Ok(())
}

#[test]
fn people_get_a_table_and_a_summary() -> Result<()> {
    let desk = Desk::new()?;
    desk.put("hosts.csv", "address,role\n192.0.2.11,quarantine")?;
    let syn = |to| fixture::tcp((v4(11), 4000).into(), (to, 443).into(), Tcp::Syn, b"");
    desk.put(
        "a.pcap",
        Pcap::of(&[syn(v4(99)), syn(v4(200)), syn(v4(98))]),
    )?;
    let traced = desk.run(&["--hosts", "hosts.csv", "--pcap", "a.pcap"])?;
    let text = traced.text();
    let words: Vec<_> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .collect();
    let flow = |to| vec!["192.0.2.11:4000", ">", to, "tcp"];
    let reply = ["xdp", "reply", "role_denies", "quarantine"];
    assert_eq!(
        words[0],
        [&["1"][..], &reply, &flow("192.0.2.99:443")].concat()
    );
    let pass = ["xdp", "pass", "rule_allows", "quarantine"];
    assert_eq!(
        words[1],
        [&["2"][..], &pass, &flow("192.0.2.200:443")].concat()
    );
    assert_eq!(words.len(), 3);
    let said = traced.errors();
    let has = |line: &[&str]| {
        said.lines()
            .any(|one| one.split_whitespace().eq(line.iter().copied()))
    };
    assert!(has(&["reply", "role_denies", "2"]), "{said}");
    assert!(has(&["pass", "rule_allows", "1"]), "{said}");
    assert!(said.contains("3 packets in "), "{said}");
    assert!(
        said.contains(" a second, judged as by xdp on not-here, zone lan, mode enforce"),
        "{said}"
    );
    Ok(())
}
