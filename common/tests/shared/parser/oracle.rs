//! An independent parser as the judge of ours.

use enforcer_common::{
    host::Address,
    packet::{Frame, Packet, Ports, Transport, parse},
};
use etherparse::{
    IpFragOffset, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv4Options, Ipv6Extensions,
    Ipv6FlowLabel, Ipv6Header, LaxNetSlice, LaxSlicedPacket, PacketBuilder, PacketBuilderStep,
    TransportSlice, VlanId,
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::frames::{IPV4, IPV6, VLAN, extension, fragment, tagged};

/// A packet that the independent library builds.
#[derive(Clone, Debug)]
struct Built {
    tags: usize,
    source: [u8; 16],
    destination: [u8; 16],
    options: usize,
    hop_limit: u8,
    upper: Upper,
    payload: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Upper {
    Tcp(u16, u16, bool),
    Udp(u16, u16),
    Ping,
    Other(u8),
}

fn upper() -> impl Strategy<Value = Upper> {
    prop_oneof![
        any::<(u16, u16, bool)>().prop_map(|(from, to, syn)| Upper::Tcp(from, to, syn)),
        any::<(u16, u16)>().prop_map(|(from, to)| Upper::Udp(from, to)),
        Just(Upper::Ping),
        (140_u8..253).prop_map(Upper::Other),
    ]
}

fn built() -> impl Strategy<Value = Built> {
    (
        0..=2_usize,
        any::<([u8; 16], [u8; 16])>(),
        0..=10_usize,
        any::<u8>(),
        upper(),
        vec(any::<u8>(), 0..80),
    )
        .prop_map(
            |(tags, (source, destination), words, hop_limit, upper, payload)| Built {
                tags,
                source,
                destination,
                options: words * 4,
                hop_limit,
                upper,
                payload,
            },
        )
}

impl Built {
    fn v4(&self) -> Vec<u8> {
        let mut header = Ipv4Header {
            source: first_four(self.source),
            destination: first_four(self.destination),
            time_to_live: self.hop_limit,
            fragment_offset: IpFragOffset::ZERO,
            ..Ipv4Header::default()
        };
        header.options = Ipv4Options::try_from(&[1; 40][..self.options]).expect("whole words");
        self.over(IpHeaders::Ipv4(header, Ipv4Extensions::default()), true)
    }

    fn v6(&self) -> Vec<u8> {
        let header = Ipv6Header {
            flow_label: Ipv6FlowLabel::ZERO,
            hop_limit: self.hop_limit,
            source: self.source,
            destination: self.destination,
            ..Ipv6Header::default()
        };
        self.over(IpHeaders::Ipv6(header, Ipv6Extensions::default()), false)
    }

    fn over(&self, ip: IpHeaders, v4: bool) -> Vec<u8> {
        let ethernet = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let step = match self.tags {
            0 => ethernet.ip(ip),
            1 => ethernet.single_vlan(VlanId::ZERO).ip(ip),
            _ => ethernet.double_vlan(VlanId::ZERO, VlanId::ZERO).ip(ip),
        };
        let mut bytes = Vec::new();
        self.write(step, v4, &mut bytes).expect("writing to memory");
        bytes
    }

    fn write(
        &self,
        step: PacketBuilderStep<IpHeaders>,
        v4: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), etherparse::err::packet::BuildWriteError> {
        match self.upper {
            Upper::Tcp(from, to, true) => step.tcp(from, to, 1, 2).syn().write(out, &self.payload),
            Upper::Tcp(from, to, false) => {
                step.tcp(from, to, 1, 2).ack(3).write(out, &self.payload)
            }
            Upper::Udp(from, to) => step.udp(from, to).write(out, &self.payload),
            Upper::Ping if v4 => step.icmpv4_echo_request(1, 1).write(out, &self.payload),
            Upper::Ping => step.icmpv6_echo_request(1, 1).write(out, &self.payload),
            Upper::Other(number) => step.write(out, IpNumber(number), &self.payload),
        }
    }

    fn protocol(&self, v4: bool) -> u8 {
        match self.upper {
            Upper::Tcp(..) => 6,
            Upper::Udp(..) => 17,
            Upper::Ping if v4 => 1,
            Upper::Ping => 58,
            Upper::Other(number) => number,
        }
    }

    fn ports(&self) -> Option<Ports> {
        match self.upper {
            Upper::Tcp(source, destination, _) | Upper::Udp(source, destination) => Some(Ports {
                source,
                destination,
            }),
            Upper::Ping | Upper::Other(_) => None,
        }
    }
}

fn first_four([a, b, c, d, ..]: [u8; 16]) -> [u8; 4] {
    [a, b, c, d]
}

/// Frames near the edge of what is valid: random headers in a random order, with lengths that mostly
/// fit.
fn woven() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![0_u8, 6, 17, 43, 44, 51, 58, 59, 60, 135]);
    let link = (vec(Just(VLAN), 0..3), any::<bool>(), -2..3_i16);
    (
        link,
        vec((kind, 0..2_u8, any::<u16>()), 1..11),
        vec(any::<u8>(), 0..64),
    )
        .prop_map(|((tags, v4, lie), chain, rest)| {
            let mut body = Vec::new();
            for (index, (kind, more, offset)) in chain.iter().enumerate() {
                let next = chain.get(index + 1).map_or(6, |(kind, ..)| *kind);
                match kind {
                    44 if offset % 4 == 0 => body.extend(fragment(next, offset >> 3, true)),
                    44 => body.extend(fragment(next, 0, true)),
                    _ => body.extend(extension(next, *more)),
                }
            }
            body.extend(rest);
            let first = chain[0].0;
            if v4 {
                let length = lying(20 + body.len(), lie);
                let mut ip = vec![0x45, 0];
                ip.extend(length.to_be_bytes());
                ip.extend([0, 0, 0, 0, 64, first, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
                tagged(&tags, IPV4, &[ip, body].concat())
            } else {
                let length = lying(body.len(), lie);
                let mut ip = vec![0x60, 0, 0, 0];
                ip.extend(length.to_be_bytes());
                ip.extend([first, 64]);
                ip.extend([0x20; 32]);
                tagged(&tags, IPV6, &[ip, body].concat())
            }
        })
}

fn lying(length: usize, lie: i16) -> u16 {
    let length = u16::try_from(length).expect("a short packet");
    length.wrapping_add_signed(lie)
}

/// Whatever our parser calls an IP packet has the addresses, and where both read them the ports, that
/// the other parser sees.
fn agrees(frame: &[u8]) -> Result<(), TestCaseError> {
    let Ok(Frame::Ip(packet)) = parse(frame) else {
        return Ok(());
    };
    let other = LaxSlicedPacket::from_ethernet(frame);
    let other = other.map_err(|error| TestCaseError::fail(format!("{error}")))?;
    let (source, destination) = match &other.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            (
                Address::v4(header.source()),
                Address::v4(header.destination()),
            )
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            (
                Address::v6(header.source()),
                Address::v6(header.destination()),
            )
        }
        other => return Err(TestCaseError::fail(format!("{other:?}"))),
    };
    prop_assert_eq!((packet.source, packet.destination), (source, destination));
    prop_assert!(packet.network < packet.transport && packet.transport <= packet.end);
    prop_assert!(packet.end <= frame.len());
    let theirs = match &other.transport {
        Some(TransportSlice::Tcp(tcp)) => Some((tcp.source_port(), tcp.destination_port())),
        Some(TransportSlice::Udp(udp)) => Some((udp.source_port(), udp.destination_port())),
        _ => None,
    };
    if let (Some((source, destination)), Some(ours)) = (theirs, packet.ports()) {
        prop_assert_eq!(
            ours,
            Ports {
                source,
                destination
            }
        );
    }
    Ok(())
}

fn parsed(frame: &[u8]) -> Result<Packet, TestCaseError> {
    match parse(frame) {
        Ok(Frame::Ip(packet)) => Ok(packet),
        other => Err(TestCaseError::fail(format!("{other:?}"))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_the_other_builds_we_read(built in built()) {
        for (frame, v4) in [(built.v4(), true), (built.v6(), false)] {
            let packet = parsed(&frame)?;
            let address = |bytes| if v4 { Address::v4(first_four(bytes)) } else { Address::v6(bytes) };
            prop_assert_eq!(packet.source, address(built.source));
            prop_assert_eq!(packet.destination, address(built.destination));
            prop_assert_eq!(packet.hop_limit, built.hop_limit);
            prop_assert_eq!(packet.protocol, built.protocol(v4));
            prop_assert_eq!(packet.ports(), built.ports());
            prop_assert_eq!(packet.end, frame.len());
            prop_assert_eq!(packet.source_mac, [2; 6]);
            if let Transport::Tcp(_, flags) = packet.transport_header() {
                prop_assert_eq!(flags.payload, !built.payload.is_empty());
            }
            agrees(&frame)?;
        }
    }

    #[test]
    fn arbitrary_bytes_are_survived(bytes in vec(any::<u8>(), 0..200)) {
        agrees(&bytes)?;
    }

    #[test]
    fn woven_frames_are_read_alike(frame in woven()) {
        agrees(&frame)?;
    }

    #[test]
    fn damaged_packets_are_read_alike(
        built in built(),
        v4: bool,
        damage in vec((any::<Index>(), any::<u8>()), 0..6),
        keep: Index,
        cut: bool,
    ) {
        let mut frame = if v4 { built.v4() } else { built.v6() };
        for (place, value) in damage {
            let place = place.index(frame.len());
            frame[place] = value;
        }
        if cut {
            frame.truncate(keep.index(frame.len() + 1));
        }
        agrees(&frame)?;
    }
}
