//! Packets at random, whole and damaged.

use std::net::{IpAddr, SocketAddr};

use enforcer_tests::fixture::{self, Tcp};
use proptest::{collection::vec, prelude::*, sample::Index, sample::select};

use crate::world::address;

/// The kernel runs no program on less: a whole Ethernet and IPv6 header.
const LEAST: usize = 54;

fn pair() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    (address(), address()).prop_filter("one family", |(a, b)| a.is_ipv4() == b.is_ipv4())
}

fn port() -> impl Strategy<Value = u16> {
    select(vec![53_u16, 67, 68, 80, 443, 546, 547, 8480, 40_000])
}

fn whole() -> impl Strategy<Value = Vec<u8>> {
    let kind = select(vec![Tcp::Syn, Tcp::Syn, Tcp::SynAck, Tcp::Data, Tcp::Reset]);
    let at = |ip, port| SocketAddr::new(ip, port);
    prop_oneof![
        5 => (pair(), port(), port(), kind).prop_map(move |((from, to), a, b, kind)| {
            fixture::tcp(at(from, a), at(to, b), kind, if kind == Tcp::Data { b"data" } else { b"" })
        }),
        3 => (pair(), port(), port()).prop_map(move |((from, to), a, b)| {
            fixture::udp(at(from, a), at(to, b), b"data")
        }),
        1 => pair().prop_map(|(from, to)| fixture::ping(from, to)),
        2 => (pair(), any::<u8>(), vec(any::<u8>(), 0..60))
            .prop_map(|((from, to), protocol, rest)| other(from, to, protocol, &rest)),
        1 => (pair(), 128..148_u8, any::<bool>()).prop_map(|((from, to), kind, near)| {
            let mut frame = fixture::raw(from, to, 58, &[kind, 0, 0, 0, 0, 0, 0, 0]);
            frame[21] = if near { 255 } else { 64 };
            frame
        }),
        1 => (any::<u16>(), vec(any::<u8>(), 46..80)).prop_map(|(kind, rest)| {
            fixture::frame(kind, &rest)
        }),
    ]
}

/// A packet whose next header may be one that the builder would insist on.
fn other(from: IpAddr, to: IpAddr, protocol: u8, rest: &[u8]) -> Vec<u8> {
    let mut frame = fixture::raw(from, to, fixture::GRE, rest);
    frame[if from.is_ipv4() { 23 } else { 20 }] = protocol;
    frame
}

/// A frame: a packet behind some tags, often with a few bytes changed, sometimes cut short.
pub fn frame() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop_oneof![4 => Just(0), 2 => 1..4_usize];
    let damage = prop_oneof![
        2 => Just(Vec::new()),
        1 => vec((any::<Index>(), any::<u8>()), 1..5),
    ];
    let cut = prop_oneof![4 => Just(None), 1 => any::<Index>().prop_map(Some)];
    (whole(), tags, damage, cut).prop_map(|(mut frame, tags, damage, cut)| {
        for _ in 0..tags {
            frame.splice(12..12, [0x81, 0, 0, 7]);
        }
        for (place, value) in damage {
            let place = place.index(frame.len());
            frame[place] = value;
        }
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len()));
        }
        frame.resize(frame.len().max(LEAST), 0);
        frame
    })
}
