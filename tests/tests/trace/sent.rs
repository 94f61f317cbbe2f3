//! The packets that the datapath would send, read by another library.

use std::{fs, net::SocketAddr};

use anyhow::Result;
use enforcer_tests::{
    capture::{ETHERNET, Order, Pcap, read, time},
    fixture::{self, Tcp, v4, v6},
    reply::{Error, Reply},
    trace::Desk,
};

const HOSTS: &str =
    "address,role\n192.0.2.10,authorized\n192.0.2.11,quarantine\n2001:db8::11,quarantine";

#[test]
fn resets_and_the_way_to_the_portal() -> Result<()> {
    let segment = |from, to, port, kind| {
        fixture::tcp((from, 4000).into(), SocketAddr::new(to, port), kind, b"")
    };
    let packets = [
        segment(v4(10), v4(99), 443, Tcp::Syn),
        segment(v4(11), v4(99), 443, Tcp::Syn),
        segment(v6(0x11), v6(99), 443, Tcp::Syn),
        fixture::udp((v4(11), 1).into(), (v4(99), 53).into(), b"x"),
        segment(v4(11), v4(99), 80, Tcp::Syn),
        segment(v6(0x11), v6(99), 80, Tcp::Syn),
    ];
    let desk = Desk::new()?;
    let arguments = ["--pcap-out", "sent.pcap", "--address", "192.0.2.1"];
    desk.trace(HOSTS, &Pcap::of(&packets), &arguments)?;
    let sent = read(&fs::read(desk.path("sent.pcap"))?)?;
    let times: Vec<_> = sent.iter().map(|packet| packet.time).collect();
    // The gateway has no IPv6 address, and so no portal there: the last one is a reset.
    assert_eq!(times, [1, 2, 3, 4, 5].map(time));
    Error::parse(&sent[2].bytes)?.check_that_it_answers(&packets[3])?;
    let segments = [0, 1, 3, 4].map(|place| &sent[place]);
    let replies: Result<Vec<_>> = segments
        .iter()
        .map(|packet| Reply::parse(&packet.bytes))
        .collect();
    let replies = replies?;
    let from_to: Vec<_> = replies.iter().map(|reply| (reply.from, reply.to)).collect();
    let at = SocketAddr::new;
    assert_eq!(
        from_to,
        [
            (at(v4(99), 443), at(v4(11), 4000)),
            (at(v6(99), 443), at(v6(0x11), 4000)),
            (at(v4(11), 4000), at(v4(1), 8480)),
            (at(v6(99), 80), at(v6(0x11), 4000)),
        ]
    );
    let resets: Vec<_> = replies.iter().map(|reply| reply.tcp.rst).collect();
    assert_eq!(resets, [true, true, false, true]);
    Ok(())
}

/// Without an address of the gateway one that no host has stands in.
#[test]
fn a_gateway_whose_address_is_not_known_has_a_portal_too() -> Result<()> {
    let syn = fixture::tcp((v6(0x11), 4000).into(), (v6(99), 80).into(), Tcp::Syn, b"");
    let desk = Desk::new()?;
    let lines = desk.trace(HOSTS, &Pcap::of(&[syn]), &["--pcap-out", "sent.pcap"])?;
    assert_eq!(lines[0]["action"], "redirect");
    let sent = read(&fs::read(desk.path("sent.pcap"))?)?;
    let reply = Reply::parse(&sent[0].bytes)?;
    assert_eq!(reply.to, "[100:0:0:1::1]:8480".parse()?);
    Ok(())
}

/// Of a packet that was cut only what was captured is known to be sent.
#[test]
fn a_rewritten_packet_is_as_long_as_it_was_captured() -> Result<()> {
    let (from, to) = ((v4(11), 4000).into(), (v4(99), 80).into());
    let syn = fixture::tcp(from, to, Tcp::Syn, b"");
    let data = fixture::tcp(from, to, Tcp::Data, &[7; 500]);
    let mut pcap = Pcap::new(Order::Little, false, ETHERNET);
    pcap.add(&syn, syn.len());
    pcap.add(&data[..100], data.len());
    let desk = Desk::new()?;
    desk.trace(HOSTS, &pcap.bytes(), &["--pcap-out", "sent.pcap"])?;
    let sent = read(&fs::read(desk.path("sent.pcap"))?)?;
    let lengths: Vec<_> = sent
        .iter()
        .map(|one| (one.bytes.len(), one.length))
        .collect();
    assert_eq!(lengths, [(54, 54), (100, 554)]);
    assert_eq!(sent[1].bytes[54..], data[54..100]);
    Ok(())
}

/// An error quotes what was captured; what is not known of it is not written.
#[test]
fn an_error_quotes_only_what_was_captured() -> Result<()> {
    let datagram = fixture::udp((v4(11), 1).into(), (v4(99), 53).into(), &[7; 200]);
    let mut pcap = Pcap::new(Order::Little, false, ETHERNET);
    pcap.add(&datagram, datagram.len());
    pcap.add(&datagram[..60], datagram.len());
    let desk = Desk::new()?;
    desk.trace(HOSTS, &pcap.bytes(), &["--pcap-out", "sent.pcap"])?;
    let sent = read(&fs::read(desk.path("sent.pcap"))?)?;
    let [whole, cut] = &sent[..] else {
        panic!("{} packets", sent.len());
    };
    Error::parse(&whole.bytes)?.check_that_it_answers(&datagram)?;
    assert_eq!(cut.length, whole.bytes.len());
    // The headers of Ethernet, IP and ICMP, and what was captured behind the first.
    assert_eq!(cut.bytes.len(), 14 + 20 + 8 + 46);
    assert_eq!(cut.bytes[42..], datagram[14..60]);
    Ok(())
}
