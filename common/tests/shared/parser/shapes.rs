//! What honest frames may look like.

use enforcer_common::{
    host::Address,
    packet::{Frame, Packet, Ports, Transport, parse, protocol},
};

use crate::frames::{
    IPV4, IPV6, NETWORK, PING_V4, PROVIDER_VLAN, SYN, TRANSPORT_V4, UDP, VLAN, chain, fragment,
    ipv4, ipv4_packet, ipv6, tagged,
};

fn packet(frame: &[u8]) -> Packet {
    match parse(frame) {
        Ok(Frame::Ip(packet)) => packet,
        other => panic!("{other:?}"),
    }
}

const FROM_40000_TO_443: Option<Ports> = Some(Ports {
    source: 40_000,
    destination: 443,
});

#[test]
fn tags_are_skipped_up_to_the_bound() {
    let ip = ipv4_packet(0, protocol::TCP, &SYN);
    for tags in [
        &[][..],
        &[VLAN],
        &[PROVIDER_VLAN],
        &[0x9100],
        &[VLAN, VLAN],
        &[PROVIDER_VLAN, VLAN],
    ] {
        let packet = packet(&tagged(tags, IPV4, &ip));
        assert_eq!(packet.network, NETWORK + 4 * tags.len(), "{tags:x?}");
        assert_eq!(packet.source, Address::v4([10, 0, 0, 1]));
        assert_eq!(packet.ports(), FROM_40000_TO_443);
    }
}

#[test]
fn protocols_between_neighbours_are_told_apart_also_behind_tags() {
    for tags in [&[][..], &[VLAN], &[PROVIDER_VLAN, VLAN]] {
        assert_eq!(parse(&tagged(tags, 0x0806, &[])[..]), Ok(Frame::Arp));
        assert_eq!(parse(&tagged(tags, 0x888e, &[])[..]), Ok(Frame::Link));
        assert_eq!(parse(&tagged(tags, 0x88cc, &[])[..]), Ok(Frame::Link));
    }
}

#[test]
fn ipv4_options_of_every_length_are_skipped() {
    for words in 0..=10 {
        let frame = tagged(&[], IPV4, &ipv4_packet(words, protocol::TCP, &SYN));
        let packet = packet(&frame);
        assert_eq!(packet.transport, TRANSPORT_V4 + usize::from(words) * 4);
        assert_eq!(packet.ports(), FROM_40000_TO_443);
    }
}

#[test]
fn each_transport_gives_what_decides() {
    let udp = packet(&ipv4(protocol::UDP, &UDP));
    assert_eq!(udp.ports().map(|ports| ports.destination), Some(53));
    assert_eq!(
        packet(&ipv4(protocol::SCTP, &UDP)).transport_header(),
        udp.transport_header()
    );
    let ping = packet(&ipv4(protocol::ICMP, &PING_V4));
    assert_eq!(ping.transport_header(), Transport::Icmp(8));
    let tunnel = packet(&ipv4(47, &[]));
    assert_eq!(
        (tunnel.transport_header(), tunnel.ports()),
        (Transport::None, None)
    );
    assert_eq!(packet(&ipv6(59, &[])).transport_header(), Transport::None);
}

#[test]
fn padding_is_no_payload() {
    let mut frame = ipv4(protocol::TCP, &SYN);
    frame.resize(60, 0);
    let padded = packet(&frame);
    assert_eq!(padded.end, TRANSPORT_V4 + SYN.len());
    assert!(padded.is_bare_syn());

    let carrying = packet(&ipv4(protocol::TCP, &[&SYN[..], b"data"].concat()));
    assert!(!carrying.is_bare_syn());
}

#[test]
fn a_syn_with_another_flag_is_not_bare() {
    for flag in [0x01, 0x04, 0x10] {
        let mut frame = ipv4(protocol::TCP, &SYN);
        frame[TRANSPORT_V4 + 13] |= flag;
        assert!(!packet(&frame).is_bare_syn(), "{flag:x}");
    }
}

#[test]
fn only_the_first_fragment_has_a_transport_header() {
    let mut frame = ipv4(protocol::UDP, &UDP);
    frame[NETWORK + 6] = 0x20;
    assert!(packet(&frame).ports().is_some());
    for offset in [1_u16, 2, 100, 0x1fff] {
        frame[NETWORK + 6..NETWORK + 8].copy_from_slice(&offset.to_be_bytes());
        let later = packet(&frame);
        assert_eq!(
            (later.protocol, later.ports()),
            (protocol::UDP, None),
            "{offset}"
        );
    }
    for (offset, first) in [(0, true), (1, false), (0x1fff, false)] {
        let bytes = [fragment(protocol::UDP, offset, true), UDP.to_vec()].concat();
        let packet = packet(&ipv6(protocol::FRAGMENT, &bytes));
        assert_eq!(packet.protocol, protocol::UDP);
        assert_eq!(packet.ports().is_some(), first, "{offset}");
    }
}

#[test]
fn nothing_is_read_behind_a_later_fragments_header() {
    // The next header is an extension, but what follows is data that only looks like one.
    let bytes = [fragment(protocol::ROUTING, 10, false), vec![0xff; 8]].concat();
    let packet = packet(&ipv6(protocol::FRAGMENT, &bytes));
    assert_eq!(packet.protocol, protocol::ROUTING);
    assert_eq!(packet.transport_header(), Transport::None);
}

#[test]
fn extension_headers_are_walked_up_to_the_bound() {
    const KINDS: [u8; 8] = [0, 60, 43, 44, 51, 135, 60, 43];
    for count in 0..=KINDS.len() {
        let (first, bytes) = chain(&KINDS[..count]);
        let packet = packet(&ipv6(first, &bytes));
        assert_eq!(packet.transport, NETWORK + 40 + 8 * count, "{count}");
        assert_eq!(packet.protocol, protocol::TCP);
        assert_eq!(packet.ports(), FROM_40000_TO_443);
    }
}

#[test]
fn a_length_of_zero_means_the_frame_when_no_length_could_tell_it() {
    let mut v4 = ipv4(protocol::TCP, &SYN);
    v4[NETWORK + 2..NETWORK + 4].fill(0);
    let mut v6 = ipv6(protocol::TCP, &SYN);
    v6[NETWORK + 4..NETWORK + 6].fill(0);
    for (mut frame, start) in [(v4, NETWORK), (v6, NETWORK + 40)] {
        frame.resize(start + usize::from(u16::MAX), 0);
        assert!(parse(&frame[..]).is_err(), "a length could tell this one");
        frame.push(0);
        let packet = packet(&frame);
        assert_eq!(packet.end, frame.len());
        assert_eq!(packet.ports(), FROM_40000_TO_443);
    }
}

#[test]
fn a_type_of_the_other_version_is_not_believed() {
    let ip = ipv4_packet(0, protocol::TCP, &SYN);
    assert!(parse(&tagged(&[], IPV6, &[&ip[..], &[0; 40]].concat())[..]).is_err());
}
