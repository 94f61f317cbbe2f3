use std::{fs, path::Path};

use proptest::prelude::*;

use super::{Capture, CaptureError, Packet};

const PCAP: &[u8] = &[
    0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0,
    0, // header
    1, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, b'h', b'e', b'l', b'l', b'o', // one
    2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, b'h', b'i', // cut
];

const PCAPNG: &[u8] = &[
    10, 13, 13, 10, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255,
    255, 255, 28, 0, 0, 0, // section
    1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, // interface
    6, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, b'h',
    b'e', b'l', b'l', b'o', 0, 0, 0, 40, 0, 0, 0, // packet
    3, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, b'h', b'i', 0, 0, 20, 0, 0, 0, // simple packet
];

/// Every packet of a file, and how it ends.
fn read(bytes: &[u8]) -> (Vec<Packet>, Result<(), CaptureError>) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), bytes).expect("written");
    let mut packets = Vec::new();
    let ended = follow(file.path(), &mut packets);
    (packets, ended)
}

fn follow(path: &Path, packets: &mut Vec<Packet>) -> Result<(), CaptureError> {
    let mut capture = Capture::open(path)?;
    let mut packet = Packet::default();
    while capture.next(&mut packet)? {
        packets.push(packet.clone());
    }
    Ok(())
}

#[test]
fn both_formats_are_read() {
    let (packets, ended) = read(PCAP);
    ended.expect("a capture");
    let said: Vec<_> = packets
        .iter()
        .map(|one| (one.number, one.time.as_micros(), one.length, &one.bytes[..]))
        .collect();
    assert_eq!(
        said,
        [
            (1, 1_000_002, 5, &b"hello"[..]),
            (2, 2_000_003, 9, &b"hi"[..])
        ]
    );
    let (packets, ended) = read(PCAPNG);
    ended.expect("a capture");
    let said: Vec<_> = packets
        .iter()
        .map(|one| (one.number, one.time.as_micros(), one.length, &one.bytes[..]))
        .collect();
    assert_eq!(said, [(1, 7, 5, &b"hello"[..]), (2, 0, 2, &b"hi"[..])]);
}

/// Some writers leave the length on the wire at zero, or claim that the file was cut shorter.
#[test]
fn what_is_only_odd_is_read() {
    let mut odd = PCAP.to_vec();
    odd[16] = 1; // The snap length.
    odd[18] = 0;
    odd[36] = 0; // The length on the wire.
    odd[23] = 0x34; // Frames end with a checksum of six bytes.
    let (packets, ended) = read(&odd);
    ended.expect("a capture");
    assert_eq!(packets[0].length, 5);
    assert_eq!(packets.len(), 2);
}

proptest! {
    /// Whatever bytes a file has: it is read to its end or refused, and numbers packets one by one.
    #[test]
    fn every_file_is_read_or_refused(
        pcapng: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        end: prop::sample::Index,
    ) {
        let mut bytes = if pcapng { PCAPNG } else { PCAP }.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len() * 2).max(4));
        let (packets, _) = read(&bytes);
        for (number, packet) in (1..).zip(&packets) {
            prop_assert_eq!(packet.number, number);
            prop_assert!(packet.length >= packet.bytes.len());
        }
        let read: usize = packets.iter().map(|packet| packet.bytes.len()).sum();
        prop_assert!(read <= bytes.len());
    }
}
