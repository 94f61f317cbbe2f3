//! What ARP and neighbour discovery claim, with the independent parser as the judge.

use enforcer_common::{
    host::Address,
    mac::Mac,
    packet::{
        Claim, Frame, Kind, Packet, Refusal, arp_claim, neighbour_claim, parse, parse_into,
        protocol,
    },
};
use etherparse::{
    ArpPacketSlice, Icmpv6Slice,
    icmpv6::{Icmpv6PayloadSlice, NdpOptionReadError, NdpOptionSlice, NdpOptionsIterator},
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::frames::{ARP, NETWORK, arp, discovery, fragment, ipv6, tagged};

const SENDER: [u8; 6] = [2, 0, 0, 0, 0, 0x10];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0x20];
const TARGET: [u8; 16] = [0x20; 16];
const FROM: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

fn claim_of_arp(frame: &[u8]) -> Result<Claim, Refusal> {
    let mut packet = Packet::EMPTY;
    assert_eq!(parse_into(frame, &mut packet), Ok(Kind::Arp));
    arp_claim(frame, &packet)
}

/// What a message claims that comes from `fd00::1`, or from nobody.
fn claim_of(message: &[u8], from: [u8; 16]) -> Result<Claim, Refusal> {
    let mut frame = ipv6(protocol::ICMPV6, message);
    frame[NETWORK + 8..NETWORK + 24].copy_from_slice(&from);
    match parse(&frame[..]) {
        Ok(Frame::Ip(packet)) => neighbour_claim(&frame[..], &packet),
        other => panic!("{other:?}"),
    }
}

fn claim(address: [u8; 16], mac: [u8; 6]) -> Claim {
    let (address, mac) = (Address::v6(address), Mac::new(mac));
    Claim { address, mac }
}

#[test]
fn each_message_claims_its_own() {
    let says = |kind, options: &[(u8, [u8; 6])]| claim_of(&discovery(kind, TARGET, options), FROM);
    for kind in [133, 134, 135] {
        assert_eq!(says(kind, &[]), Ok(claim(FROM, SENDER)), "{kind}");
        assert_eq!(says(kind, &[(1, OTHER)]), Ok(claim(FROM, OTHER)), "{kind}");
    }
    assert_eq!(says(136, &[]), Ok(claim(TARGET, SENDER)));
    assert_eq!(says(136, &[(2, OTHER)]), Ok(claim(TARGET, OTHER)));
    assert_eq!(says(137, &[]), Ok(claim(FROM, SENDER)));
    assert_eq!(says(137, &[(2, OTHER)]), Ok(claim(TARGET, OTHER)));
}

#[test]
fn whoever_has_no_address_claims_none() {
    let nobody = [0; 16];
    let asks = claim_of(&discovery(135, TARGET, &[]), nobody);
    assert_eq!(asks, Ok(claim(TARGET, [0; 6])));
    let looks = claim_of(&discovery(133, TARGET, &[]), nobody);
    assert!(looks.is_ok_and(|claim| claim.is_none()));
}

#[test]
fn options_that_lie_are_malformed() {
    let message = |options: &[u8]| {
        let message = [&discovery(136, TARGET, &[])[..], options].concat();
        claim_of(&message, FROM)
    };
    let option = |kind: u8, mac: [u8; 6]| [&[kind, 1][..], &mac].concat();
    for (why, options) in [
        ("length 0", vec![2, 0, 2, 0, 0, 0, 0, 0x20]),
        ("beyond the end", vec![2, 2, 2, 0, 0, 0, 0, 0x20]),
        ("half of one", vec![2, 1, 2, 0]),
        ("a length alone", vec![5, 1]),
        (
            "two that differ",
            [option(2, SENDER), option(2, OTHER)].concat(),
        ),
        (
            "source and target differ",
            [option(1, SENDER), option(2, OTHER)].concat(),
        ),
    ] {
        assert_eq!(message(&options), Err(Refusal::Malformed), "{why}");
    }
    let same = [option(2, OTHER), option(2, OTHER)].concat();
    assert_eq!(message(&same), Ok(claim(TARGET, OTHER)));
    let eight = option(14, SENDER).repeat(8);
    assert_eq!(message(&eight), Ok(claim(TARGET, SENDER)));
    let nine = option(14, SENDER).repeat(9);
    assert_eq!(message(&nine), Err(Refusal::TooDeep));
}

#[test]
fn a_message_without_its_target_is_malformed() {
    for (kind, length) in [(134, 16), (135, 24), (136, 24), (137, 40)] {
        let message = discovery(kind, TARGET, &[]);
        assert_eq!(message.len(), length);
        assert!(claim_of(&message, FROM).is_ok());
        for cut in 8..length {
            let claim = claim_of(&message[..cut], FROM);
            assert_eq!(claim, Err(Refusal::Malformed), "{kind} {cut}");
        }
    }
}

/// RFC 6980.
#[test]
fn discovery_never_comes_in_fragments() {
    let message = discovery(135, TARGET, &[]);
    let bytes = [fragment(protocol::ICMPV6, 0, true), message].concat();
    let frame = ipv6(protocol::FRAGMENT, &bytes);
    let Ok(Frame::Ip(packet)) = parse(&frame[..]) else {
        panic!("no packet");
    };
    assert!(packet.is_neighbour_discovery());
    assert_eq!(
        neighbour_claim(&frame[..], &packet),
        Err(Refusal::Malformed)
    );
}

/// The MAC addresses in options, as the other parser reads them, and whether it could read all.
fn options_of(options: NdpOptionsIterator) -> (Vec<Mac>, Option<NdpOptionReadError>) {
    let mut macs = Vec::new();
    for option in options {
        let bytes = match &option {
            Ok(NdpOptionSlice::SourceLinkLayerAddress(option)) => option.link_layer_address(),
            Ok(NdpOptionSlice::TargetLinkLayerAddress(option)) => option.link_layer_address(),
            Ok(_) => continue,
            Err(error) => return (macs, Some(error.clone())),
        };
        macs.extend(bytes.first_chunk().map(|bytes| Mac::new(*bytes)));
    }
    (macs, None)
}

/// Options mostly whole, some with a length that lies.
fn options() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![6 => Just(1_u8), 1 => 0..4_u8];
    let body = select(vec![SENDER, OTHER]);
    let kind = select(vec![1_u8, 2, 14, 200]);
    vec((kind, length, body), 0..10).prop_map(|options| {
        let bytes = options.into_iter().map(|(kind, length, body)| {
            let mut option = vec![kind, length];
            option.extend(body);
            option.resize(8 * usize::from(length.max(1)), 0);
            option
        });
        bytes.collect::<Vec<_>>().concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arp_is_read_alike(
        changes in vec((0..28_usize, any::<u8>()), 0..3),
        cut in 0..28_usize,
        whole: bool,
        mac: [u8; 6],
        address: [u8; 4],
    ) {
        let mut bytes = arp(mac, address);
        for (place, value) in changes {
            bytes[place] = value;
        }
        if !whole {
            bytes.truncate(cut);
        }
        let ours = claim_of_arp(&tagged(&[], ARP, &bytes));
        let theirs = ArpPacketSlice::from_slice(&bytes).ok();
        let expected = theirs.and_then(|arp| arp.to_packet().try_eth_ipv4().ok());
        let expected = expected.ok_or(Refusal::Malformed).map(|arp| Claim {
            address: Address::v4(arp.sender_ipv4),
            mac: Mac::new(arp.sender_mac),
        });
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn discovery_is_read_alike(kind in 133..138_u8, options in options(), target: [u8; 16]) {
        let message = [discovery(kind, target, &[]), options].concat();
        let ours = claim_of(&message, FROM);
        let icmp = Icmpv6Slice::from_slice(&message).expect("a message");
        let (address, options) = match icmp.payload_slice().expect("a message") {
            Icmpv6PayloadSlice::RouterSolicitation(slice) => (FROM, slice.options_iterator()),
            Icmpv6PayloadSlice::RouterAdvertisement(slice) => (FROM, slice.options_iterator()),
            Icmpv6PayloadSlice::NeighborSolicitation(slice) => (FROM, slice.options_iterator()),
            Icmpv6PayloadSlice::NeighborAdvertisement(slice) => {
                (slice.target_address().octets(), slice.options_iterator())
            }
            Icmpv6PayloadSlice::Redirect(slice) => {
                let named = !options_of(slice.options_iterator()).0.is_empty();
                let target = slice.target_address().octets();
                (if named { target } else { FROM }, slice.options_iterator())
            }
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let count = options.clone().count();
        match options_of(options) {
            (_, Some(NdpOptionReadError::ZeroLength { .. } | NdpOptionReadError::UnexpectedEndOfSlice { .. })) => {
                prop_assert!(ours.is_err());
            }
            (macs, None) if count <= 8 => {
                let mac = macs.first().copied().unwrap_or(Mac::new(SENDER));
                if macs.iter().all(|other| *other == mac) {
                    prop_assert_eq!(ours, Ok(Claim { address: Address::v6(address), mac }));
                } else {
                    prop_assert_eq!(ours, Err(Refusal::Malformed));
                }
            }
            _ => {}
        }
    }
}
