//! What honest frames may look like.

use enforcer_common::{
    host::Address,
    packet::{Frame, Packet, Part, Ports, Refusal, Stripped, Transport, Vlans, parse, protocol},
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
        let mut lacp = tagged(tags, 0x8809, &[]);
        assert!(parse(&lacp[..]).is_err(), "not to a neighbour");
        lacp[..6].copy_from_slice(&[1, 0x80, 0xc2, 0, 0, 2]);
        assert_eq!(parse(&lacp[..]), Ok(Frame::Link));
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
    frame[NETWORK + 4..NETWORK + 6].copy_from_slice(&[3, 4]);
    frame[NETWORK + 6] = 0x20;
    let first = packet(&frame);
    assert_eq!((first.part, first.fragment_id), (Part::First, 0x304));
    assert!(first.ports().is_some());
    for offset in [1_u16, 2, 100, 0x1ffc] {
        frame[NETWORK + 6..NETWORK + 8].copy_from_slice(&offset.to_be_bytes());
        let later = packet(&frame);
        assert_eq!((later.part, later.fragment_offset), (Part::Later, offset));
        assert_eq!((later.protocol, later.ports()), (protocol::UDP, None));
        assert_eq!(later.fragment_id, 0x304);
    }
    for (offset, part) in [(0, Part::First), (1, Part::Later), (0x1ffe, Part::Later)] {
        let bytes = [fragment(protocol::UDP, offset, true), UDP.to_vec()].concat();
        let packet = packet(&ipv6(protocol::FRAGMENT, &bytes));
        assert_eq!((packet.part, packet.fragment_offset), (part, offset));
        assert_eq!((packet.protocol, packet.fragment_id), (protocol::UDP, 1));
        assert_eq!(packet.ports().is_some(), part == Part::First, "{offset}");
    }
}

#[test]
fn what_is_whole_in_a_fragment_header_is_whole() {
    let bytes = [fragment(protocol::TCP, 0, false), SYN.to_vec()].concat();
    let packet = packet(&ipv6(protocol::FRAGMENT, &bytes));
    assert_eq!(packet.part, Part::Whole);
    assert!(packet.is_bare_syn());
}

#[test]
fn vlans_are_read_from_the_outside_and_priority_is_none() {
    let ip = ipv4_packet(0, protocol::TCP, &SYN);
    for (tags, outer, inner) in [
        (&[][..], 0, 0),
        (&[0x0007], 7, 0),
        (&[0xe007], 7, 0),
        (&[0xe000], 0, 0),
        (&[0x0014, 0x001e], 20, 30),
        (&[0xe000, 0x0007], 7, 0),
        (&[0x0007, 0xe000], 7, 0),
        (&[0x1fff, 0x0001], 0x0fff, 1),
    ] {
        let mut frame = tagged(&[PROVIDER_VLAN, VLAN][..tags.len()], IPV4, &ip);
        for (index, tag) in tags.iter().enumerate() {
            let at = 14 + 4 * index;
            frame[at..at + 2].copy_from_slice(&u16::to_be_bytes(*tag));
        }
        assert_eq!(packet(&frame).vlans, Vlans { outer, inner }, "{tags:x?}");
    }
}

#[test]
fn a_tag_that_the_hardware_took_off_is_the_outermost() {
    let ip = ipv4_packet(0, protocol::TCP, &SYN);
    let read = |tag: u16, tags: &[u16]| {
        let frame = tagged(tags, IPV4, &ip);
        parse(&Stripped { tag, frame: &frame })
    };
    let Ok(Frame::Ip(alone)) = read(0x6014, &[]) else {
        panic!("no packet");
    };
    assert_eq!((alone.vlans.outer, alone.vlans.inner), (20, 0));
    assert_eq!(alone.network, NETWORK);
    let Ok(Frame::Ip(outside)) = read(20, &[VLAN]) else {
        panic!("no packet");
    };
    assert_eq!((outside.vlans.outer, outside.vlans.inner), (20, 7));
    assert_eq!(outside.network, NETWORK + 4);
    assert_eq!(read(20, &[VLAN, VLAN]), Err(Refusal::TooDeep));
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
        let headers = bytes.len() - SYN.len();
        assert_eq!(packet.transport, NETWORK + 40 + headers, "{count}");
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
        for length in [1 << 16, 1 << 17, 512 << 10] {
            frame.resize(start + length, 0);
            let packet = packet(&frame);
            assert_eq!(packet.end, frame.len());
            assert_eq!(packet.ports(), FROM_40000_TO_443);
        }
    }
}

#[test]
fn a_type_of_the_other_version_is_not_believed() {
    let ip = ipv4_packet(0, protocol::TCP, &SYN);
    assert!(parse(&tagged(&[], IPV6, &[&ip[..], &[0; 40]].concat())[..]).is_err());
}
