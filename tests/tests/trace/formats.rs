//! Captures of every kind say the same.

use std::{io::Write, process::Stdio};

use anyhow::{Context, Result};
use enforcer_tests::{
    capture::{ETHERNET, LINUX_COOKED, Order, Pcap, PcapNg, read, time},
    fixture::{self, Tcp, v4},
    trace::{Desk, Traced},
};
use serde_json::json;

const HOSTS: &str = "address,role\n192.0.2.10,authorized\n192.0.2.11,quarantine";

fn packets() -> Vec<Vec<u8>> {
    let syn = |from| fixture::tcp((from, 1).into(), (v4(99), 443).into(), Tcp::Syn, b"");
    vec![
        syn(v4(10)),
        syn(v4(11)),
        syn(v4(10)),
        syn(v4(11)),
        syn(v4(11)),
    ]
}

/// Traces a capture, and holds lines and replies against what they must be.
fn says_the_same(capture: &[u8]) -> Result<()> {
    let desk = Desk::new()?;
    let lines = desk.trace(HOSTS, capture, &["--pcap-out", "sent.pcap"])?;
    let actions: Vec<_> = lines.iter().map(|line| line["action"].clone()).collect();
    assert_eq!(
        actions,
        ["pass", "reply", "pass", "reply", "reply"].map(|word| json!(word))
    );
    let sent = read(&std::fs::read(desk.path("sent.pcap"))?)?;
    let times: Vec<_> = sent.iter().map(|packet| packet.time).collect();
    assert_eq!(times, [time(1), time(3), time(4)]);
    Ok(())
}

#[test]
fn pcap_of_both_orders_and_resolutions() -> Result<()> {
    for order in [Order::Little, Order::Big] {
        for nanoseconds in [false, true] {
            let mut pcap = Pcap::new(order, nanoseconds, ETHERNET);
            for packet in packets() {
                pcap.add(&packet, packet.len());
            }
            says_the_same(&pcap.bytes())?;
        }
    }
    Ok(())
}

/// The third interface is of another link type, and has no packets. Of other blocks nothing is read.
#[test]
fn pcapng_with_several_interfaces_and_sections() -> Result<()> {
    for order in [Order::Little, Order::Big] {
        let mut pcapng = PcapNg::new(order);
        pcapng.block(0x0bad, b"whatever a vendor likes");
        for section in 0..2 {
            pcapng.interface("lan0", ETHERNET, false);
            pcapng.interface("lan1", ETHERNET, true);
            pcapng.interface("any", LINUX_COOKED, false);
            // Names: a record that ends nowhere.
            pcapng.block(4, &[0xff; 7]);
            let some = if section == 0 { 0..3 } else { 3..5 };
            for (number, packet) in some.zip(&packets()[if section == 0 { 0..3 } else { 3..5 }]) {
                let nanoseconds = number % 2 == 1;
                pcapng.add(u32::from(nanoseconds), nanoseconds, packet, packet.len());
            }
            if section == 0 {
                pcapng.section();
            }
        }
        says_the_same(&pcapng.bytes())?;
    }
    Ok(())
}

#[test]
fn pcapng_without_time_stamps() -> Result<()> {
    let mut pcapng = PcapNg::new(Order::Little);
    pcapng.interface("lan0", ETHERNET, false);
    for packet in packets() {
        pcapng.add_simple(&packet);
    }
    let lines = Desk::new()?.trace(HOSTS, &pcapng.bytes(), &[])?;
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[1]["action"], "reply");
    Ok(())
}

#[test]
fn a_capture_may_come_through_a_pipe() -> Result<()> {
    let desk = Desk::new()?;
    desk.put("hosts.csv", HOSTS)?;
    let mut child = desk
        .command(&["--hosts", "hosts.csv", "--pcap", "-", "--output", "json"])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().context("an input")?;
    input.write_all(&Pcap::of(&packets()))?;
    drop(input);
    let traced = Traced(child.wait_with_output()?);
    assert_eq!(traced.code(), Some(0), "{}", traced.errors());
    assert_eq!(traced.lines().len(), 5);
    Ok(())
}

#[test]
fn a_capture_without_packets_is_one() -> Result<()> {
    let desk = Desk::new()?;
    for capture in [Pcap::of(&[]), PcapNg::new(Order::Big).bytes()] {
        assert_eq!(desk.trace(HOSTS, &capture, &[])?, [json!(null); 0]);
    }
    Ok(())
}

/// What was not captured counts as it was on the wire, where it does not matter, and is not sent.
#[test]
fn packets_that_were_cut_behind_their_headers_are_judged() -> Result<()> {
    let data = |from, port| {
        fixture::tcp(
            (from, 1).into(),
            (v4(99), port).into(),
            Tcp::Data,
            &[7; 1000],
        )
    };
    let packets = [data(v4(10), 443), data(v4(11), 443)];
    let mut whole = Pcap::new(Order::Little, false, ETHERNET);
    let mut cut = whole.clone();
    for packet in &packets {
        whole.add(packet, packet.len());
        cut.add(&packet[..60], packet.len());
    }
    let desk = Desk::new()?;
    let sent = || read(&std::fs::read(desk.path("sent.pcap"))?);
    let arguments = ["--pcap-out", "sent.pcap"];
    let (lines, replies) = (desk.trace(HOSTS, &whole.bytes(), &arguments)?, sent()?);
    let mut cut_lines = desk.trace(HOSTS, &cut.bytes(), &arguments)?;
    for line in &mut cut_lines {
        let note = line.as_object_mut().and_then(|line| line.remove("note"));
        assert_eq!(
            note,
            Some(json!("cut to 60 of 1054 bytes, with all that is judged by"))
        );
    }
    assert_eq!(cut_lines, lines);
    assert_eq!(sent()?, replies);
    assert_eq!(replies.len(), 1);
    Ok(())
}
