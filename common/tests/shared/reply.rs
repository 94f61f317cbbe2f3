//! Resets, read back by the independent parser.

use enforcer_common::{
    host::Address,
    packet::{Frame, parse, protocol, tcp_flag},
    reply::{Reset, TCP},
};
use etherparse::TcpHeader;

use crate::frames::{SYN, TRANSPORT_V4, ipv4};

fn answer(flags: u8, payload: &[u8]) -> Option<TcpHeader> {
    let mut frame = ipv4(protocol::TCP, &[&SYN[..], payload].concat());
    frame[TRANSPORT_V4 + 13] = flags;
    frame[TRANSPORT_V4 + 8..TRANSPORT_V4 + 12].copy_from_slice(&[0, 0, 0, 9]);
    let Ok(Frame::Ip(packet)) = parse(&frame[..]) else {
        panic!("no packet");
    };
    let mut out = [0; TCP];
    let (from, to) = (Address::v4([10, 0, 0, 2]), Address::v4([10, 0, 0, 1]));
    Reset::answering(&frame[..], &packet)?.write(&mut out, &from, &to);
    let (header, _) = TcpHeader::from_slice(&out).expect("a TCP header");
    let sum = header.calc_checksum_ipv4_raw(from.last_bytes(), to.last_bytes(), &[]);
    assert_eq!(Ok(header.checksum), sum);
    Some(header)
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
