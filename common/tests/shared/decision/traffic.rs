//! Packets to judge, at random and as a test needs them.

use enforcer_common::{
    decide::{self, Direction, Judged, Judgement, judge_frame},
    host::{Address, Family, Host},
    packet::{Frame, Packet, parse, protocol},
};
use proptest::{option, prelude::*, sample::select};

use super::{
    model::Model,
    world::{MACS, NOW, VLANS, address},
};
use crate::frames::{
    ARP, NETWORK, SYN, TRANSPORT_V4, UDP, arp, discovery, fragment, ipv4, ipv6, tagged,
};

/// A frame, and the packet in it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub frame: Vec<u8>,
    pub packet: Packet,
}

impl Sent {
    fn new(frame: Vec<u8>) -> Self {
        match parse(&frame[..]) {
            Ok(Frame::Ip(packet)) => Self { frame, packet },
            other => panic!("{other:?}"),
        }
    }

    /// The same from this MAC address.
    pub fn by(self, mac: [u8; 6]) -> Self {
        Self::new(by(self.frame, mac))
    }

    /// The same in these VLANs.
    pub fn within(self, vlans: (u16, u16)) -> Self {
        Self::new(within(self.frame, vlans))
    }

    /// The same with this as what follows the TCP header.
    pub fn carrying(mut self, payload: &[u8]) -> Self {
        let v4 = self.packet.source.family() == Family::V4;
        let (at, own) = if v4 { (2, 20) } else { (4, 0) };
        let length = u16::try_from(own + 20 + payload.len()).expect("a short packet");
        self.frame.extend_from_slice(payload);
        self.frame[NETWORK + at..NETWORK + at + 2].copy_from_slice(&length.to_be_bytes());
        Self::new(self.frame)
    }
}

fn by(mut frame: Vec<u8>, mac: [u8; 6]) -> Vec<u8> {
    frame[6..12].copy_from_slice(&mac);
    frame
}

fn within(mut frame: Vec<u8>, (outer, inner): (u16, u16)) -> Vec<u8> {
    for vlan in [inner, outer].into_iter().filter(|vlan| *vlan != 0) {
        let [high, low] = vlan.to_be_bytes();
        frame.splice(12..12, [0x81, 0, high, low]);
    }
    frame
}

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
enum Upper {
    Tcp { to: u16, flags: u8, payload: bool },
    Udp { from: u16, to: u16 },
    Icmp(u8),
    Discovery(u8, Address, Option<[u8; 6]>),
    Other(u8),
    Fragment(u8),
}

fn upper() -> impl Strategy<Value = Upper> {
    let port = || select(vec![22_u16, 53, 67, 68, 80, 443, 546, 547, 8480]);
    let flags = prop_oneof![any::<u8>(), select(vec![0x02_u8, 0x10, 0x18])];
    let discovery = (133..138_u8, address(), option::of(select(MACS.to_vec())));
    prop_oneof![
        2 => (port(), flags, any::<bool>()).prop_map(|(to, flags, payload)| Upper::Tcp {
            to,
            flags,
            payload
        }),
        1 => (port(), port()).prop_map(|(from, to)| Upper::Udp { from, to }),
        1 => select(vec![(68, 67), (546, 547)]).prop_map(|(from, to)| Upper::Udp { from, to }),
        1 => prop_oneof![0..20_u8, 128..148_u8].prop_map(Upper::Icmp),
        1 => discovery.prop_map(|(kind, target, mac)| Upper::Discovery(kind, target, mac)),
        1 => select(vec![protocol::IGMP, 47]).prop_map(Upper::Other),
        1 => select(vec![6_u8, 17, 58]).prop_map(Upper::Fragment),
    ]
}

fn link() -> impl Strategy<Value = ([u8; 6], (u16, u16))> {
    let vlans = prop_oneof![
        3 => Just((0, 0)),
        2 => select(VLANS.to_vec()).prop_map(|(vlans, _)| vlans),
    ];
    (select(MACS.to_vec()), vlans)
}

/// A packet at random between the addresses of the world, of one family.
pub fn packet() -> impl Strategy<Value = Sent> {
    let hops = select(vec![1_u8, 64, 255]);
    (address(), address(), upper(), hops, link())
        .prop_filter("one family", |(from, to, ..)| from.family() == to.family())
        .prop_map(|(from, to, upper, hops, (mac, vlans))| {
            Sent::new(within(by(frame(from, to, upper, hops), mac), vlans))
        })
}

/// A later fragment at random.
pub fn later_fragment() -> impl Strategy<Value = Sent> {
    let fragments = select(vec![6_u8, 17, 58]).prop_map(Upper::Fragment);
    (address(), address(), fragments)
        .prop_filter("one family", |(from, to, _)| from.family() == to.family())
        .prop_map(|(from, to, upper)| Sent::new(frame(from, to, upper, 64)))
}

/// An ARP frame at random: its bytes, the MAC address inside, and the address that is claimed.
pub fn arp_frame() -> impl Strategy<Value = (Vec<u8>, [u8; 6], Address)> {
    let inside = select(vec![MACS[0], MACS[1], [0; 6]]);
    (inside, address(), link())
        .prop_filter("IPv4", |(_, claimed, _)| claimed.family() == Family::V4)
        .prop_map(|(inside, claimed, (mac, vlans))| {
            let arp = arp(inside, claimed.last_bytes());
            let frame = within(by(tagged(&[], ARP, &arp), mac), vlans);
            (frame, inside, claimed)
        })
}

/// A UDP datagram.
pub fn udp(from: (Address, u16), to: (Address, u16)) -> Sent {
    let upper = Upper::Udp {
        from: from.1,
        to: to.1,
    };
    Sent::new(frame(from.0, to.0, upper, 64))
}

/// A TCP segment to this port with these flags.
pub fn tcp(from: Address, to: (Address, u16), flags: u8) -> Sent {
    let upper = Upper::Tcp {
        to: to.1,
        flags,
        payload: false,
    };
    Sent::new(frame(from, to.0, upper, 64))
}

/// An ICMP or ICMPv6 message of this type and hop limit.
pub fn icmp(from: Address, to: Address, kind: u8, hops: u8) -> Sent {
    Sent::new(frame(from, to, Upper::Icmp(kind), hops))
}

/// A neighbour discovery message of this type about a target, with the MAC address in its options.
pub fn neighbour(
    from: Address,
    to: Address,
    kind: u8,
    target: Address,
    mac: Option<[u8; 6]>,
) -> Sent {
    Sent::new(frame(from, to, Upper::Discovery(kind, target, mac), 255))
}

fn frame(from: Address, to: Address, upper: Upper, hops: u8) -> Vec<u8> {
    let v4 = from.family() == Family::V4;
    let icmp = if v4 { protocol::ICMP } else { protocol::ICMPV6 };
    let (number, bytes) = match upper {
        Upper::Tcp { to, flags, payload } => {
            let mut tcp = [&SYN[..], if payload { b"data" } else { b"" }].concat();
            tcp[2..4].copy_from_slice(&to.to_be_bytes());
            tcp[13] = flags;
            (protocol::TCP, tcp)
        }
        Upper::Udp { from, to } => {
            let mut udp = UDP.to_vec();
            udp[0..2].copy_from_slice(&from.to_be_bytes());
            udp[2..4].copy_from_slice(&to.to_be_bytes());
            (protocol::UDP, udp)
        }
        Upper::Icmp(kind) => (icmp, discovery(kind, [0x20; 16], &[])),
        Upper::Discovery(kind, target, mac) => {
            let options: Vec<_> = mac.iter().map(|mac| (1, *mac)).collect();
            (icmp, discovery(kind, target.mapped(), &options))
        }
        Upper::Other(number) => (number, vec![0; 8]),
        Upper::Fragment(number) if v4 => (number, vec![0; 24]),
        Upper::Fragment(number) => (
            protocol::FRAGMENT,
            [fragment(number, 9, true), vec![0; 24]].concat(),
        ),
    };
    if !v4 {
        let mut frame = ipv6(number, &bytes);
        frame[NETWORK + 7] = hops;
        frame[NETWORK + 8..NETWORK + 24].copy_from_slice(&from.mapped());
        frame[NETWORK + 24..NETWORK + 40].copy_from_slice(&to.mapped());
        return frame;
    }
    let mut frame = ipv4(number, &bytes);
    frame[NETWORK + 8] = hops;
    frame[NETWORK + 12..NETWORK + 16].copy_from_slice(&from.last_bytes());
    frame[NETWORK + 16..TRANSPORT_V4].copy_from_slice(&to.last_bytes());
    if matches!(upper, Upper::Fragment(_)) {
        frame[NETWORK + 7] = 9;
    }
    frame
}

/// Either way.
pub fn direction() -> impl Strategy<Value = Direction> {
    select(vec![Direction::FromHost, Direction::ToHost])
}

/// Whose packet it is; in zone 0 where its VLANs are not allowed.
pub fn host_of(sent: &Sent, direction: Direction, model: &Model) -> Host {
    let Packet {
        source,
        destination,
        vlans,
        ..
    } = sent.packet;
    Host {
        zone: decide::zone(&model.interface, vlans, model).unwrap_or(0),
        address: match direction {
            Direction::FromHost => source,
            Direction::ToHost => destination,
        },
    }
}

/// What is judged of a frame [`NOW`].
pub fn judge(frame: &[u8], direction: Direction, model: &Model) -> Judged {
    judge_frame(frame, direction, &model.interface, model, NOW)
}

/// The judgement of a packet at this time.
pub fn judged_at(sent: &Sent, direction: Direction, model: &Model, now: u64) -> Judgement {
    judge_frame(&sent.frame[..], direction, &model.interface, model, now).judgement
}

/// The judgement of a packet [`NOW`].
pub fn judged(sent: &Sent, direction: Direction, model: &Model) -> Judgement {
    judged_at(sent, direction, model, NOW)
}
