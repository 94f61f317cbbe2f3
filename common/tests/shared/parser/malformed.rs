//! What no honest frame looks like.

use enforcer_common::packet::{Frame, Refusal, parse, protocol};

use crate::frames::{
    IPV4, NETWORK, PING_V4, PROVIDER_VLAN, SYN, TRANSPORT_V4, UDP, VLAN, chain, extension,
    fragment, ipv4, ipv4_packet, ipv6, tagged,
};

fn refused(frame: &[u8]) -> Option<Refusal> {
    parse(frame).err()
}

/// The frame with these bytes from `offset` on.
fn with(mut frame: Vec<u8>, offset: usize, bytes: &[u8]) -> Vec<u8> {
    frame[offset..offset + bytes.len()].copy_from_slice(bytes);
    frame
}

#[test]
fn a_frame_cut_short_anywhere_is_malformed() {
    let (first, headers) = chain(&[0, 60, 43, 44, 51]);
    let tag = tagged(&[VLAN], IPV4, &ipv4_packet(3, protocol::TCP, &SYN));
    for frame in [
        ipv4(protocol::TCP, &SYN),
        ipv4(protocol::UDP, &UDP),
        ipv4(protocol::ICMP, &PING_V4),
        ipv6(first, &headers),
        tag,
    ] {
        assert_eq!(refused(&frame), None);
        for length in 0..frame.len() {
            assert_eq!(
                refused(&frame[..length]),
                Some(Refusal::Malformed),
                "{length} of {frame:x?}"
            );
        }
    }
}

#[test]
fn lengths_that_lie_are_malformed() {
    let v4 = || ipv4(protocol::TCP, &SYN);
    let v6 = || ipv6(protocol::TCP, &SYN);
    for (why, frame) in [
        ("version 5", with(v4(), NETWORK, &[0x55])),
        ("a header of four words", with(v4(), NETWORK, &[0x44])),
        ("options beyond the packet", with(v4(), NETWORK, &[0x4f])),
        ("more than the frame", with(v4(), NETWORK + 2, &[0, 41])),
        ("less than the header", with(v4(), NETWORK + 2, &[0, 19])),
        ("less than TCP", with(v4(), NETWORK + 2, &[0, 39])),
        ("nothing at all", with(v4(), NETWORK + 2, &[0, 0])),
        ("TCP of four words", with(v4(), TRANSPORT_V4 + 12, &[0x40])),
        ("TCP beyond the end", with(v4(), TRANSPORT_V4 + 12, &[0x60])),
        ("version 4 as 6", with(v6(), NETWORK, &[0x40])),
        ("more than the frame", with(v6(), NETWORK + 4, &[0, 21])),
        ("less than TCP", with(v6(), NETWORK + 4, &[0, 19])),
        ("nothing at all", with(v6(), NETWORK + 4, &[0, 0])),
        ("half of UDP", ipv4(protocol::UDP, &UDP[..7])),
        ("half of ICMP", ipv4(protocol::ICMP, &PING_V4[..7])),
        ("half of ICMPv6", ipv6(protocol::ICMPV6, &PING_V4[..4])),
    ] {
        assert_eq!(refused(&frame), Some(Refusal::Malformed), "{why}");
    }
}

#[test]
fn what_padding_completes_is_malformed_all_the_same() {
    let mut frame = ipv4(protocol::TCP, &SYN[..12]);
    frame.resize(64, 0x50);
    assert_eq!(refused(&frame), Some(Refusal::Malformed));
    let mut frame = ipv6(protocol::HOP_BY_HOP, &extension(protocol::TCP, 0)[..4]);
    frame.resize(96, 0);
    assert_eq!(refused(&frame), Some(Refusal::Malformed));
}

#[test]
fn a_first_fragment_without_the_whole_tcp_header_is_malformed() {
    let tiny = with(ipv4(protocol::TCP, &SYN[..16]), NETWORK + 6, &[0x20, 0]);
    assert_eq!(refused(&tiny), Some(Refusal::Malformed));
    let tiny = [fragment(protocol::TCP, 0, true), SYN[..16].to_vec()].concat();
    assert_eq!(
        refused(&ipv6(protocol::FRAGMENT, &tiny)),
        Some(Refusal::Malformed)
    );
}

#[test]
fn a_fragment_that_overwrites_the_tcp_header_is_malformed() {
    for (offset, overlaps) in [(1_u8, true), (2, true), (3, false), (200, false)] {
        let frame = with(ipv4(protocol::TCP, &SYN), NETWORK + 6, &[0, offset]);
        assert_eq!(refused(&frame).is_some(), overlaps, "{offset}");
        let bytes = [fragment(protocol::TCP, offset.into(), false), SYN.to_vec()].concat();
        let frame = ipv6(protocol::FRAGMENT, &bytes);
        assert_eq!(refused(&frame).is_some(), overlaps, "{offset}");
    }
}

#[test]
fn an_extension_header_beyond_the_packet_is_malformed() {
    for kind in [0, 43, 51, 60, 135] {
        let bytes = [extension(protocol::TCP, 0), SYN.to_vec()].concat();
        let frame = with(ipv6(kind, &bytes), NETWORK + 41, &[200]);
        assert_eq!(refused(&frame), Some(Refusal::Malformed), "{kind}");
    }
}

#[test]
fn more_extension_headers_than_the_bound_are_too_deep() {
    for count in [9, 10, 40] {
        let (first, bytes) = chain(&vec![60; count]);
        assert_eq!(refused(&ipv6(first, &bytes)), Some(Refusal::TooDeep));
    }
}

#[test]
fn more_tags_than_the_bound_are_too_deep() {
    let ip = ipv4_packet(0, protocol::TCP, &SYN);
    for tags in [
        [VLAN; 3],
        [PROVIDER_VLAN, VLAN, VLAN],
        [PROVIDER_VLAN, PROVIDER_VLAN, 0x9100],
    ] {
        assert_eq!(refused(&tagged(&tags, IPV4, &ip)), Some(Refusal::TooDeep));
    }
}

#[test]
fn other_types_are_not_ip() {
    for kind in [
        0, 46, 0x05dc, 0x0600, 0x22f3, 0x8035, 0x8847, 0x8863, 0x8864, 0x88e5, 0xffff,
    ] {
        assert_eq!(
            refused(&tagged(&[], kind, &[0; 46])),
            Some(Refusal::NotIp),
            "{kind:x}"
        );
    }
    assert_eq!(parse(&tagged(&[], 0x0806, &[])[..]), Ok(Frame::Arp));
}
