//! An independent parser as the judge of ours.

use enforcer_common::{
    host::Address,
    packet::{Frame, Packet, Part, Ports, Transport, Vlans, parse, protocol},
};
use etherparse::{
    Ipv4HeaderSlice, Ipv6ExtensionSlice, LaxIpv6Slice, LaxNetSlice, LaxSlicedPacket, TransportSlice,
};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::built::{built, first_four};
use crate::frames::{IPV4, IPV6, VLAN, extension, fragment, tagged};

/// Frames near the edge of what is valid: random headers in a random order, with lengths that mostly
/// fit.
fn woven() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![0_u8, 6, 17, 43, 44, 51, 58, 59, 60, 135]);
    let link = (vec(Just(VLAN), 0..3), any::<bool>(), lie());
    (
        link,
        vec((kind, 0..2_u8, any::<u16>()), 1..11),
        vec(any::<u8>(), 0..64),
        prop_oneof![Just(0_u16), any::<u16>()],
    )
        .prop_map(|((tags, v4, lie), chain, rest, fragment_field)| {
            let mut body = Vec::new();
            for (index, (kind, more, offset)) in chain.iter().enumerate() {
                let next = chain.get(index + 1).map_or(6, |(kind, ..)| *kind);
                match kind {
                    44 => body.extend(fragment(next, offset >> 3, offset % 2 == 0)),
                    _ => body.extend(extension(next, *more)),
                }
            }
            body.extend(rest);
            let first = chain[0].0;
            if v4 {
                let length = lying(20 + body.len(), lie);
                let mut ip = vec![0x45, 0];
                ip.extend(length.to_be_bytes());
                let [high, low] = fragment_field.to_be_bytes();
                ip.extend([1, 2, high, low, 64, first, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
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

/// Mostly the truth.
fn lie() -> impl Strategy<Value = i16> {
    prop_oneof![3 => Just(0), 1 => -2..3_i16]
}

fn lying(length: usize, lie: i16) -> u16 {
    let length = u16::try_from(length).expect("a short packet");
    length.wrapping_add_signed(lie)
}

/// Whatever our parser calls an IP packet is one to the other parser, and it says the same of it.
fn agrees(frame: &[u8]) -> Result<(), TestCaseError> {
    let Ok(Frame::Ip(packet)) = parse(frame) else {
        return Ok(());
    };
    let other = LaxSlicedPacket::from_ethernet(frame);
    let other = other.map_err(|error| TestCaseError::fail(format!("{error}")))?;
    prop_assert!(packet.network < packet.transport && packet.transport <= packet.end);
    prop_assert!(packet.end <= frame.len());
    prop_assert_eq!(packet.vlans, vlans(&other));
    match &other.net {
        Some(LaxNetSlice::Ipv4(ip)) => agrees_on_v4(&packet, &ip.header())?,
        Some(LaxNetSlice::Ipv6(ip)) => agrees_on_v6(&packet, ip)?,
        other => return Err(TestCaseError::fail(format!("{other:?}"))),
    }
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

/// The VLANs that are not 0, outermost first.
fn vlans(other: &LaxSlicedPacket) -> Vlans {
    let ids = other.vlan_ids();
    let mut ids = ids.iter().map(|id| id.value()).filter(|id| *id != 0);
    Vlans {
        outer: ids.next().unwrap_or(0),
        inner: ids.next().unwrap_or(0),
    }
}

fn agrees_on_v4(packet: &Packet, header: &Ipv4HeaderSlice) -> Result<(), TestCaseError> {
    let ends = (
        Address::v4(header.source()),
        Address::v4(header.destination()),
    );
    prop_assert_eq!((packet.source, packet.destination), ends);
    prop_assert_eq!(
        (packet.hop_limit, packet.protocol),
        (header.ttl(), header.protocol().0)
    );
    prop_assert_eq!(packet.transport - packet.network, header.slice().len());
    prop_assert_eq!(packet.end - packet.network, usize::from(header.total_len()));
    prop_assert_eq!(packet.fragment_id, u32::from(header.identification()));
    let fragment = (header.fragments_offset().value(), header.more_fragments());
    agrees_on_part(packet, fragment)
}

fn agrees_on_v6(packet: &Packet, ip: &LaxIpv6Slice) -> Result<(), TestCaseError> {
    let header = ip.header();
    let ends = (
        Address::v6(header.source()),
        Address::v6(header.destination()),
    );
    prop_assert_eq!((packet.source, packet.destination), ends);
    prop_assert_eq!(packet.hop_limit, header.hop_limit());
    let length = usize::from(header.payload_length());
    prop_assert_eq!(packet.end - packet.network, 40 + length);
    let upper = ip.payload().ip_number.0;
    if is_extension(upper) {
        // Where theirs stops in the middle of the chain, because it does not know a header or does not want it
        // there, its iterator would read on.
        return Ok(());
    }
    let mut headers = ip.extensions().clone().into_iter();
    let fragment = headers.find_map(|header| match header {
        Ipv6ExtensionSlice::Fragment(header) if header.is_fragmenting_payload() => Some(header),
        _ => None,
    });
    let Some(fragment) = fragment else {
        prop_assert_eq!((packet.part, packet.protocol), (Part::Whole, upper));
        return Ok(());
    };
    prop_assert_eq!(packet.fragment_id, fragment.identification());
    let fragment = (
        fragment.fragment_offset().value(),
        fragment.more_fragments(),
    );
    agrees_on_part(packet, fragment)
}

fn is_extension(protocol: u8) -> bool {
    use protocol::{AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, MOBILITY, ROUTING};
    matches!(
        protocol,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY
    )
}

fn agrees_on_part(packet: &Packet, (offset, more): (u16, bool)) -> Result<(), TestCaseError> {
    let part = match (offset, more) {
        (0, false) => Part::Whole,
        (0, true) => Part::First,
        _ => Part::Later,
    };
    prop_assert_eq!((packet.part, packet.fragment_offset), (part, offset));
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
            let mut vlans = built.vlans.iter().copied().filter(|id| *id != 0);
            let (outer, inner) = (vlans.next().unwrap_or(0), vlans.next().unwrap_or(0));
            prop_assert_eq!(packet.vlans, Vlans { outer, inner });
            prop_assert_eq!(packet.source_mac.bytes(), [2; 6]);
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
