//! What cannot be traced is said, with the place and the remedy, and the exit status is 1.

use anyhow::Result;
use enforcer_tests::{
    capture::{ETHERNET, LINUX_COOKED, Order, Pcap, PcapNg},
    fixture::{self, v4},
    trace::Desk,
};

fn ping() -> Vec<u8> {
    fixture::ping(v4(10), v4(99))
}

/// Traces this capture and finds these words in the error, behind so many lines.
fn is_refused(capture: &[u8], lines: usize, words: &[&str]) -> Result<()> {
    let desk = Desk::new()?;
    desk.put("c", capture)?;
    says(&desk, &["--pcap", "c", "--json"], lines, words)
}

fn says(desk: &Desk, arguments: &[&str], lines: usize, words: &[&str]) -> Result<()> {
    let traced = desk.run(arguments)?;
    let said = traced.errors();
    assert_eq!(traced.code(), Some(1), "{said}");
    assert_eq!(traced.lines().len(), lines, "{said}");
    let last = said.find("enforcer: ").map_or("", |at| &said[at..]);
    for word in words {
        assert!(last.contains(word), "{word:?} is not in: {said}");
    }
    Ok(())
}

#[test]
fn captures_that_are_none() -> Result<()> {
    is_refused(b"", 0, &["c is empty"])?;
    is_refused(b"hello", 0, &["c is no capture", "68 65 6c 6c"])?;
    is_refused(
        b"\x1f\x8b\x08\x00",
        0,
        &["gzip", "zcat FILE | enforcer trace --pcap -"],
    )?;
    is_refused(
        &Pcap::of(&[])[..23],
        0,
        &["c is cut short within its header"],
    )?;
    let header = PcapNg::new(Order::Little).bytes();
    is_refused(
        &header[..header.len() - 1],
        0,
        &["c is cut short within its header"],
    )?;
    says(
        &Desk::new()?,
        &["--pcap", "none"],
        0,
        &["cannot read the capture none: No such file"],
    )?;
    says(
        &Desk::new()?,
        &["--pcap", "."],
        0,
        &["cannot read the capture .: Is a directory"],
    )
}

#[test]
fn captures_that_end_within_a_packet() -> Result<()> {
    let ping = ping();
    let pcap = Pcap::of(&[ping.clone(), ping.clone(), ping.clone()]);
    let third = 24 + 2 * (16 + ping.len());
    let place = format!("c, packet 3 (byte {third}): cut short");
    for end in [third + 1, third + 16, pcap.len() - 1] {
        is_refused(&pcap[..end], 2, &[&place])?;
    }
    let mut pcapng = PcapNg::new(Order::Big);
    pcapng.interface("lan0", ETHERNET, false);
    pcapng.add(0, false, &ping, ping.len());
    let second = pcapng.clone().bytes().len();
    pcapng.add(0, false, &ping, ping.len());
    let bytes = pcapng.bytes();
    let place = format!("c, packet 2 (byte {second}): cut short");
    for end in [second + 1, second + 30, bytes.len() - 1] {
        is_refused(&bytes[..end], 1, &[&place])?;
    }
    Ok(())
}

#[test]
fn captures_with_lengths_that_lie() -> Result<()> {
    let mut pcap = Pcap::of(&[ping()]);
    let second = pcap.len();
    pcap.extend([0; 8]);
    pcap.extend([0xff; 8]);
    let place = format!("c, packet 2 (byte {second}): ");
    is_refused(&pcap, 1, &[&place, "cut short"])?;
    pcap.resize(9_000_000, 0);
    is_refused(&pcap, 1, &[&place, "more than 8,000,000 bytes", "damaged"])?;
    let mut pcapng = PcapNg::new(Order::Little);
    pcapng.interface("lan0", ETHERNET, false);
    let first = pcapng.clone().bytes().len();
    let mut bytes = pcapng.clone().bytes();
    bytes.extend([6, 0, 0, 0, 33, 0, 0, 0, 0, 0, 0, 0]);
    let place = format!("c, packet 1 (byte {first}): ");
    is_refused(&bytes, 0, &[&place, "not a multiple of 4", "damaged"])?;
    pcapng.add(1, false, &ping(), ping().len());
    is_refused(&pcapng.bytes(), 0, &[&place, "damaged"])
}

#[test]
fn captures_of_other_links() -> Result<()> {
    let pcap = Pcap::new(Order::Little, false, LINUX_COOKED).bytes();
    let remedy = "tcpdump -i lan0";
    is_refused(
        &pcap,
        0,
        &["LINUX_SLL (113)", "Ethernet (1) is needed", remedy],
    )?;
    let mut pcapng = PcapNg::new(Order::Little);
    pcapng.interface("lan0", ETHERNET, false);
    pcapng.interface("wlan0", 127, false);
    pcapng.add(0, false, &ping(), ping().len());
    let second = pcapng.clone().bytes().len();
    pcapng.add(1, false, &ping(), ping().len());
    let place =
        format!("c, packet 2 (byte {second}): the link type of wlan0 is IEEE802_11_RADIOTAP (127)");
    is_refused(&pcapng.bytes(), 1, &[&place, "Ethernet (1) is needed"])
}

/// Nothing is said of packets that cannot be judged, but of all others.
#[test]
fn packets_that_cannot_be_judged() -> Result<()> {
    let mut cut = Pcap::new(Order::Little, false, ETHERNET);
    let ping = ping();
    cut.add(&ping, ping.len());
    cut.add(&ping[..30], ping.len());
    cut.add(&ping[..36], ping.len());
    // The sender of an ARP packet stands in its body.
    let arp = fixture::frame(0x0806, &[0; 28]);
    cut.add(&arp[..20], arp.len());
    let words = [
        "not judged: 3 of 4 packets",
        "the first is packet 2: cut to 30 of 46 bytes, within its headers",
        "tcpdump -s 0",
    ];
    is_refused(&cut.bytes(), 4, &words)?;
    let large = fixture::udp((v4(10), 1).into(), (v4(99), 2).into(), &vec![0; 60_000]);
    let huge = vec![0; 300_000];
    let desk = Desk::new()?;
    desk.put("c", Pcap::of(&[ping, large, huge]))?;
    let arguments = ["--pcap", "c", "--json", "--hook", "tc-egress"];
    let words = ["of 3 packets", "bytes are more than the ", "of a test run"];
    says(&desk, &arguments, 3, &words)?;
    let last = desk.run(&arguments)?.lines().pop().unwrap_or_default();
    assert_eq!(last["action"], "unjudged");
    assert_eq!(last["reason"], "too_large");
    assert!(last["role"].is_null());
    Ok(())
}

#[test]
fn lists_of_hosts() -> Result<()> {
    let desk = Desk::new()?;
    desk.put("c", Pcap::of(&[ping()]))?;
    desk.put(
        "h.csv",
        "address,role\n10.0.0.5,authorised\n10.0.0.500,denied",
    )?;
    let words = [
        "h.csv:2:10: there is no role `authorised`; did you mean `authorized`?",
        "h.csv:3:1: `10.0.0.500` is no address",
    ];
    says(&desk, &["--hosts", "h.csv", "--pcap", "c"], 0, &words)?;
    says(
        &desk,
        &["--hosts", "h", "--pcap", "c"],
        0,
        &["cannot read the list of hosts h"],
    )
}

#[test]
fn configurations() -> Result<()> {
    let desk = Desk::new()?;
    desk.put("c", Pcap::of(&[ping()]))?;
    let words = ["names no interface `not-her`; did you mean `not-here`?"];
    says(&desk, &["--interface", "not-her", "--pcap", "c"], 0, &words)?;
    let desk = Desk::with_config("mode = 'enforce'\n")?;
    desk.put("c", Pcap::of(&[ping()]))?;
    says(
        &desk,
        &["--pcap", "c"],
        0,
        &["gateway.toml is refused", "no interface is named"],
    )?;
    let desk = Desk::with_config("host_capacity = 1\n[[interface]]\nname = 'lan0'\n")?;
    desk.put("c", Pcap::of(&[ping()]))?;
    desk.put(
        "h.csv",
        "address,role\n10.0.0.5,denied\n10.0.0.6,denied\n2001:db8::1,denied",
    )?;
    let words = ["2 hosts of one family, and the gateway room for 1; raise `host_capacity`"];
    says(&desk, &["--hosts", "h.csv", "--pcap", "c"], 0, &words)
}

#[test]
fn the_capture_itself_is_not_written_over() -> Result<()> {
    let desk = Desk::new()?;
    let capture = Pcap::of(&[ping()]);
    desk.put("c", &capture)?;
    let arguments = ["--pcap", "c", "--pcap-out", "./c"];
    says(&desk, &arguments, 0, &["is the capture that is read"])?;
    assert_eq!(std::fs::read(desk.path("c"))?, capture);
    let arguments = ["--pcap", "c", "--pcap-out", "no/where"];
    says(
        &desk,
        &arguments,
        0,
        &["cannot write no/where: No such file"],
    )
}
