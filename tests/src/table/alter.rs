//! Packets made odd.

/// Where the IP header of an untagged frame begins.
const NETWORK: usize = 14;
/// Where the type of an untagged frame stands.
const KIND: usize = 12;
const IPV4: usize = 20;
const IPV6: usize = 40;

/// The types of VLAN tags.
pub(super) const VLAN: u16 = 0x8100;
pub(super) const PROVIDER: u16 = 0x88a8;
pub(super) const OLD_PROVIDER: u16 = 0x9100;

/// The frame in these VLANs, the outermost first.
pub(super) fn vlan(ids: &[u16], frame: Vec<u8>) -> Vec<u8> {
    let tags: Vec<_> = ids.iter().map(|id| (VLAN, *id)).collect();
    tagged(&tags, frame)
}

/// The frame behind tags of these types and contents, the outermost first.
pub(super) fn tagged(tags: &[(u16, u16)], mut frame: Vec<u8>) -> Vec<u8> {
    for (kind, tag) in tags.iter().rev() {
        let ([a, b], [c, d]) = (kind.to_be_bytes(), tag.to_be_bytes());
        frame.splice(KIND..KIND, [a, b, c, d]);
    }
    frame
}

/// The frame from this MAC address.
pub(super) fn by(mac: [u8; 6], mut frame: Vec<u8>) -> Vec<u8> {
    frame[6..12].copy_from_slice(&mac);
    frame
}

/// The frame to this MAC address.
pub(super) fn to(mac: [u8; 6], mut frame: Vec<u8>) -> Vec<u8> {
    frame[..6].copy_from_slice(&mac);
    frame
}

/// The frame without its last bytes.
pub(super) fn cut(bytes: usize, mut frame: Vec<u8>) -> Vec<u8> {
    frame.truncate(frame.len() - bytes);
    frame
}

/// The frame filled up to the least that Ethernet carries.
pub(super) fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(60), 0);
    frame
}

/// The frame with one byte of its IP header, or what follows it, replaced.
pub(super) fn lying(at: usize, value: u8, mut frame: Vec<u8>) -> Vec<u8> {
    frame[NETWORK + at] = value;
    frame
}

/// The packet with a byte behind its IP header replaced.
pub(super) fn lying_behind(at: usize, value: u8, frame: Vec<u8>) -> Vec<u8> {
    let header = if is_v4(&frame) { IPV4 } else { IPV6 };
    lying(header + at, value, frame)
}

/// The packet with this time to live.
pub(super) fn hops(value: u8, frame: Vec<u8>) -> Vec<u8> {
    let at = if is_v4(&frame) { 8 } else { 7 };
    lying(at, value, frame)
}

/// The IP packet with a length that is greater by so much than it is, or less.
pub(super) fn misjudged(by: i16, mut frame: Vec<u8>) -> Vec<u8> {
    let at = NETWORK + if is_v4(&frame) { 2 } else { 4 };
    let length = u16::from_be_bytes([frame[at], frame[at + 1]]).wrapping_add_signed(by);
    frame[at..at + 2].copy_from_slice(&length.to_be_bytes());
    frame
}

/// The IP packet without its last bytes, and with the length that it has then.
pub(super) fn shortened(bytes: usize, frame: Vec<u8>) -> Vec<u8> {
    let bytes = i16::try_from(bytes).expect("a few bytes");
    cut(usize::from(bytes.unsigned_abs()), misjudged(-bytes, frame))
}

/// The packet as the fragment at this offset, in units of eight bytes, that others follow.
pub(super) fn fragment(offset: u16, frame: Vec<u8>) -> Vec<u8> {
    part(offset, true, frame)
}

/// The packet as the last fragment.
pub(super) fn last_fragment(offset: u16, frame: Vec<u8>) -> Vec<u8> {
    part(offset, false, frame)
}

/// The number that the fragments of a packet share.
const FRAGMENTS: u32 = 0x0102;

fn part(offset: u16, more: bool, mut frame: Vec<u8>) -> Vec<u8> {
    if !is_v4(&frame) {
        let [high, low] = (offset << 3 | u16::from(more)).to_be_bytes();
        let [a, b, c, d] = FRAGMENTS.to_be_bytes();
        return extended(44, &[0, high, low, a, b, c, d], frame);
    }
    let more = if more { 0x2000 } else { 0 };
    let [_, _, a, b] = FRAGMENTS.to_be_bytes();
    frame[NETWORK + 4..NETWORK + 6].copy_from_slice(&[a, b]);
    frame[NETWORK + 6..NETWORK + 8].copy_from_slice(&(more | offset).to_be_bytes());
    summed(frame)
}

/// The fragment as one of another packet.
pub(super) fn of_another(frame: Vec<u8>) -> Vec<u8> {
    if is_v4(&frame) {
        return summed(lying(5, 9, frame));
    }
    lying(IPV6 + 7, 9, frame)
}

/// The IPv4 packet with so many words of options that say nothing.
pub(super) fn with_options(words: u8, mut frame: Vec<u8>) -> Vec<u8> {
    let bytes = vec![1; usize::from(words) * 4];
    let length = i16::from(words) * 4;
    frame.splice(NETWORK + IPV4..NETWORK + IPV4, bytes);
    frame[NETWORK] += words;
    summed(misjudged(length, frame))
}

/// The IPv6 packet with so many destination options before what it had.
pub(super) fn chained(count: usize, mut frame: Vec<u8>) -> Vec<u8> {
    for _ in 0..count {
        frame = extended(60, &[0, 1, 4, 0, 0, 0, 0], frame);
    }
    frame
}

/// The IPv6 packet with another extension header in front: its kind, and all but its first byte.
pub(super) fn extended(kind: u8, rest: &[u8], mut frame: Vec<u8>) -> Vec<u8> {
    let next = std::mem::replace(&mut frame[NETWORK + 6], kind);
    let header: Vec<u8> = std::iter::once(next).chain(rest.iter().copied()).collect();
    let length = i16::try_from(header.len()).expect("a short header");
    frame.splice(NETWORK + IPV6..NETWORK + IPV6, header);
    misjudged(length, frame)
}

fn is_v4(frame: &[u8]) -> bool {
    frame[NETWORK] >> 4 == 4
}

/// The IPv4 packet with the right checksum of its header.
fn summed(mut frame: Vec<u8>) -> Vec<u8> {
    let length = usize::from(frame[NETWORK] & 0x0f) * 4;
    let header = etherparse::Ipv4HeaderSlice::from_slice(&frame[NETWORK..NETWORK + length]);
    let sum = header
        .expect("an IPv4 header")
        .to_header()
        .calc_header_checksum();
    frame[NETWORK + 10..NETWORK + 12].copy_from_slice(&sum.to_be_bytes());
    frame
}

/// The packet as one of this protocol, whatever it carries.
pub(super) fn of_protocol(number: u8, frame: Vec<u8>) -> Vec<u8> {
    if is_v4(&frame) {
        return summed(lying(9, number, frame));
    }
    lying(6, number, frame)
}
