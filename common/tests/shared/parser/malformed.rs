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
fn an_authentication_header_without_its_fields_is_malformed() {
    let bytes = [extension(protocol::TCP, 0), SYN.to_vec()].concat();
    let frame = ipv6(protocol::AUTHENTICATION, &bytes);
    assert_eq!(refused(&frame), Some(Refusal::Malformed));
    let (first, bytes) = chain(&[protocol::AUTHENTICATION]);
    assert_eq!(refused(&ipv6(first, &bytes)), None);
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
        0x0600, 0x22f3, 0x8035, 0x8137, 0x8847, 0x8863, 0x8864, 0x88e5, 0xffff,
    ] {
        let frame = tagged(&[], kind, &[0; 46]);
        assert_eq!(refused(&frame), Some(Refusal::NotIp), "{kind:x}");
    }
}

/// The header of spanning tree, and of SNAP carrying IPv4.
const SPANNING_TREE: [u8; 3] = [0x42, 0x42, 3];
const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

/// A frame of 802.3 to an address that no bridge forwards.
fn to_bridges(length: u16, payload: &[u8]) -> Vec<u8> {
    with(tagged(&[], length, payload), 0, &[1, 0x80, 0xc2, 0, 0, 0])
}

#[test]
fn of_802_3_only_spanning_tree_is_known() {
    let body = [&SPANNING_TREE[..], &[0; 43]].concat();
    assert_eq!(parse(&to_bridges(38, &body)[..]), Ok(Frame::Link));
    let elsewhere = tagged(&[], 38, &body);
    assert_eq!(refused(&elsewhere), Some(Refusal::NotIp));
    let body = [&SNAP[..], &ipv4_packet(0, protocol::TCP, &SYN)].concat();
    for frame in [to_bridges(48, &body), tagged(&[], 48, &body)] {
        assert_eq!(refused(&frame), Some(Refusal::NotIp));
    }
}

#[test]
fn a_length_of_802_3_is_not_believed() {
    let body = [&SPANNING_TREE[..], &[0; 43]].concat();
    for (length, refusal) in [
        (0, Refusal::NotIp),
        (2, Refusal::NotIp),
        (47, Refusal::Malformed),
        (1500, Refusal::Malformed),
        (1501, Refusal::Malformed),
        (1535, Refusal::Malformed),
    ] {
        assert_eq!(
            refused(&to_bridges(length, &body)),
            Some(refusal),
            "{length}"
        );
    }
    assert_eq!(parse(&to_bridges(46, &body)[..]), Ok(Frame::Link));
    let tag = with(tagged(&[VLAN], 43, &body), 0, &[1, 0x80, 0xc2, 0, 0, 0]);
    assert_eq!(
        parse(&tag[..]),
        Ok(Frame::Link),
        "its length begins behind the tag"
    );
}

#[test]
fn fragments_but_the_last_are_of_whole_units() {
    let v4 = |length: usize, more: u8| {
        let fragment = ipv4(protocol::UDP, &[0; 64][..length]);
        parse(&with(fragment, NETWORK + 6, &[more, 100])[..]).is_ok()
    };
    let v6 = |length: usize, more: bool| {
        let body = [fragment(protocol::UDP, 100, more), vec![0; length]].concat();
        parse(&ipv6(protocol::FRAGMENT, &body)[..]).is_ok()
    };
    for length in 0..64 {
        assert_eq!(v4(length, 0x20), length % 8 == 0, "{length}");
        assert_eq!(v6(length, true), length % 8 == 0, "{length}");
        assert!(v4(length, 0) && v6(length, false), "{length}");
    }
}

/// The whole packet must be one that can be: its length field counts 65,535 bytes at most.
#[test]
fn fragments_beyond_the_longest_packet_are_malformed() {
    let v4 = |options: u8, offset: u16, length: usize| {
        let packet = ipv4_packet(options, protocol::UDP, &[0; 16][..length]);
        let frame = with(
            tagged(&[], IPV4, &packet),
            NETWORK + 6,
            &offset.to_be_bytes(),
        );
        parse(&frame[..]).is_ok()
    };
    // 8,188 units and the header are 65,524 bytes.
    assert!(v4(0, 8188, 11));
    assert!(!v4(0, 8188, 12));
    assert!(!v4(1, 8188, 11));
    assert!(!v4(0, 8189, 8));

    let v6 = |before: usize, offset: u16, length: usize| {
        let (first, mut body) = chain(&vec![60; before]);
        body.truncate(8 * before);
        if let Some(last) = before.checked_sub(1) {
            body[8 * last] = protocol::FRAGMENT;
        }
        body.extend(fragment(protocol::UDP, offset, false));
        body.resize(body.len() + length, 0);
        let first = if before == 0 {
            protocol::FRAGMENT
        } else {
            first
        };
        parse(&ipv6(first, &body)[..]).is_ok()
    };
    // 8,191 units are 65,528 bytes; the fragment header is not in the whole packet, those before it are.
    assert!(v6(0, 8191, 7));
    assert!(!v6(0, 8191, 8));
    assert!(!v6(1, 8191, 7));
    assert!(v6(1, 8190, 7));
    assert!(!v6(2, 8190, 0));
}

#[test]
fn a_fragment_of_a_fragment_is_malformed() {
    let bytes = |outer: (u16, bool)| {
        let inner = fragment(protocol::TCP, 0, true);
        let body = [
            fragment(protocol::FRAGMENT, outer.0, outer.1),
            inner,
            SYN.to_vec(),
            vec![0; 4],
        ];
        ipv6(protocol::FRAGMENT, &body.concat())
    };
    assert_eq!(refused(&bytes((0, true))), Some(Refusal::Malformed));
    // Whole in a fragment header is no fragment (RFC 6946): the walk goes on.
    assert_eq!(refused(&bytes((0, false))), None);
}

#[test]
fn a_first_fragment_without_the_whole_chain_is_malformed() {
    let whole = |rest: Vec<u8>| [fragment(60, 0, true), extension(protocol::TCP, 0), rest].concat();
    let frame = ipv6(protocol::FRAGMENT, &whole([&SYN[..], &[0; 4]].concat()));
    assert_eq!(refused(&frame), None);
    for rest in [vec![], SYN[..8].to_vec(), SYN[..16].to_vec()] {
        let frame = ipv6(protocol::FRAGMENT, &whole(rest));
        assert_eq!(refused(&frame), Some(Refusal::Malformed));
    }
}
