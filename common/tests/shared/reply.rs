//! Replies, read back by the independent parser.

use enforcer_common::{
    checksum::Sum,
    host::{Address, Family},
    packet::{Frame, Packet, parse, protocol, tcp_flag},
    reply::{Checksum, ICMP, Prohibited, Reset, TCP, checksum_of},
};
use etherparse::{Icmpv4Slice, Icmpv6Slice, TcpHeader};
use proptest::{collection::vec, prelude::*};

use crate::frames::{NETWORK, SYN, TRANSPORT_V4, UDP, ipv4, ipv6};

const HOST: Address = Address::v4([10, 0, 0, 1]);
const SERVER: Address = Address::v4([10, 0, 0, 2]);

fn packet(frame: &[u8]) -> Packet {
    match parse(frame) {
        Ok(Frame::Ip(packet)) => packet,
        other => panic!("{other:?}"),
    }
}

fn segment(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = ipv4(protocol::TCP, &[&SYN[..], payload].concat());
    frame[TRANSPORT_V4 + 13] = flags;
    frame[TRANSPORT_V4 + 8..TRANSPORT_V4 + 12].copy_from_slice(&[0, 0, 0, 9]);
    frame
}

/// Writes a reset, has its checksum checked and reads it back.
fn written(reset: &Reset, from: &Address, to: &Address) -> TcpHeader {
    let mut out = [0; TCP];
    reset.write(&mut out, from, to, Checksum::Whole);
    let (header, _) = TcpHeader::from_slice(&out).expect("a TCP header");
    let sum = header.calc_checksum_ipv4_raw(from.last_bytes(), to.last_bytes(), &[]);
    assert_eq!(Ok(header.checksum), sum);
    header
}

fn answer(flags: u8, payload: &[u8]) -> Option<TcpHeader> {
    let frame = segment(flags, payload);
    let reset = Reset::answering(&frame[..], &packet(&frame))?;
    Some(written(&reset, &SERVER, &HOST))
}

#[test]
fn what_acknowledges_is_reset_where_it_is() {
    let reset = answer(tcp_flag::ACK, b"data").expect("an answer");
    assert!(reset.rst && !reset.ack);
    assert_eq!((reset.source_port, reset.destination_port), (443, 40_000));
    assert_eq!(reset.sequence_number, 9);
}

#[test]
fn what_does_not_is_acknowledged_whole() {
    for (flags, payload, length) in [
        (tcp_flag::SYN, &b""[..], 1),
        (tcp_flag::SYN, b"data", 5),
        (tcp_flag::FIN, b"data", 5),
        (0, b"data", 4),
    ] {
        let reset = answer(flags, payload).expect("an answer");
        assert!(reset.rst && reset.ack);
        assert_eq!(reset.acknowledgment_number, 1 + length);
    }
}

#[test]
fn a_reset_is_never_answered() {
    for flags in [tcp_flag::RST, tcp_flag::RST | tcp_flag::ACK] {
        assert_eq!(answer(flags, b""), None);
    }
}

/// What takes the place of a segment is where the far end awaits it (RFC 5961 section 3.2).
#[test]
fn what_takes_a_segments_place_says_what_it_said() {
    let frame = segment(tcp_flag::ACK, b"data");
    let reset = Reset::instead_of(&frame[..], &packet(&frame)).expect("a reset");
    let reset = written(&reset, &HOST, &SERVER);
    assert!(reset.rst && reset.ack && !reset.syn && !reset.psh);
    assert_eq!((reset.source_port, reset.destination_port), (40_000, 443));
    assert_eq!((reset.sequence_number, reset.acknowledgment_number), (1, 9));
}

/// A checksum that is still to be completed holds the sum of the pseudo header alone, and so must what takes its place.
#[test]
fn a_partial_checksum_stays_partial() {
    let mut frame = segment(tcp_flag::ACK, b"data");
    let of = |frame: &[u8]| checksum_of(frame, &packet(frame));
    assert_eq!(of(&frame), Some(Checksum::Whole));
    let pseudo = |length: u32| {
        let sum = Sum::default().add_address(&HOST).add_address(&SERVER);
        sum.add_word(6).add_double(length).partial()
    };
    frame[TRANSPORT_V4 + 16..TRANSPORT_V4 + 18].copy_from_slice(&pseudo(24).to_be_bytes());
    assert_eq!(of(&frame), Some(Checksum::Partial));
    let reset = Reset::instead_of(&frame[..], &packet(&frame)).expect("a reset");
    let mut out = [0; TCP];
    reset.write(&mut out, &HOST, &SERVER, Checksum::Partial);
    assert_eq!(u16::from_be_bytes([out[16], out[17]]), pseudo(20));
}

/// The ICMP message that answers a packet, from the gateway, and whether its checksum is right.
fn prohibited(frame: &[u8]) -> (Vec<u8>, bool) {
    let packet = packet(frame);
    let error = Prohibited::answering(&packet);
    let quote = &frame[packet.network..packet.network + error.quoted];
    let sum = quote.chunks_exact(4).fold(Sum::default(), |sum, word| {
        sum.add_bytes([word[0], word[1], word[2], word[3]])
    });
    let (from, to) = (packet.destination, packet.source);
    let mut head = [0; ICMP];
    error.write(&mut head, &from, &to, sum);
    let message = [&head[..], quote].concat();
    let valid = match from.family() {
        Family::V4 => {
            let slice = Icmpv4Slice::from_slice(&message).expect("a message");
            let header = slice.header();
            header.icmp_type.calc_checksum(slice.payload()) == header.checksum
        }
        Family::V6 => {
            let slice = Icmpv6Slice::from_slice(&message).expect("a message");
            slice.is_checksum_valid(from.mapped(), to.mapped())
        }
    };
    (message, valid)
}

#[test]
fn an_icmp_error_quotes_as_much_as_it_may() {
    let datagram = |length: usize| {
        let mut udp = UDP.to_vec();
        udp.resize(8 + length, 7);
        udp
    };
    // RFC 1812 section 4.3.2.3 allows 576 bytes in all, RFC 4443 section 2.4 the minimal MTU of 1280.
    for (length, quoted) in [(0, 28), (3, 28), (4, 32), (520, 548), (1400, 548)] {
        let (message, valid) = prohibited(&ipv4(protocol::UDP, &datagram(length)));
        assert!(valid, "{length}");
        assert_eq!((&message[..2], message.len()), (&[3, 13][..], 8 + quoted));
    }
    for (length, quoted) in [(0, 48), (3, 48), (1184, 1232), (1400, 1232)] {
        let (message, valid) = prohibited(&ipv6(protocol::UDP, &datagram(length)));
        assert!(valid, "{length}");
        assert_eq!((&message[..2], message.len()), (&[1, 1][..], 8 + quoted));
    }
}

#[test]
fn padding_is_not_quoted() {
    let mut frame = ipv4(protocol::UDP, &UDP);
    frame.resize(60, 0xee);
    let (message, _) = prohibited(&frame);
    assert_eq!(message[8..], frame[NETWORK..NETWORK + 28]);
}

proptest! {
    #[test]
    fn icmp_errors_have_the_right_checksum(bytes in vec(any::<u8>(), 0..1500), v4: bool) {
        let udp = [&UDP[..], &bytes].concat();
        let frame = if v4 {
            ipv4(protocol::UDP, &udp)
        } else {
            ipv6(protocol::UDP, &udp)
        };
        prop_assert!(prohibited(&frame).1);
    }

    #[test]
    fn resets_have_the_right_checksum(flags: u8, fields: [u8; 12], payload in vec(any::<u8>(), 0..9)) {
        let mut frame = segment(flags, &payload);
        frame[TRANSPORT_V4..TRANSPORT_V4 + 12].copy_from_slice(&fields);
        let packet = packet(&frame);
        for reset in [
            Reset::answering(&frame[..], &packet),
            Reset::instead_of(&frame[..], &packet),
        ] {
            reset.inspect(|reset| {
                written(reset, &HOST, &SERVER);
            });
        }
    }
}
