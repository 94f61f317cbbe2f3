//! Frames written byte by byte, so that they can also be wrong.

/// Ethernet types.
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
pub const ARP: u16 = 0x0806;
pub const VLAN: u16 = 0x8100;
pub const PROVIDER_VLAN: u16 = 0x88a8;

/// Where the IP header of an untagged frame begins.
pub const NETWORK: usize = 14;
/// Where the transport header of an untagged IPv4 packet without options begins.
pub const TRANSPORT_V4: usize = 34;

/// A TCP segment from port 40000 to port 443 that opens a flow.
pub const SYN: [u8; 20] = [
    0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xfa, 0, 0, 0, 0, 0,
];
/// A UDP header from port 40000 to port 53.
pub const UDP: [u8; 8] = [0x9c, 0x40, 0, 53, 0, 8, 0, 0];
/// An echo request of either version.
pub const PING_V4: [u8; 8] = [8, 0, 0, 0, 0, 1, 0, 1];

/// An Ethernet frame with these tags before its type.
pub fn tagged(tags: &[u16], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x10];
    for tag in tags {
        frame.extend_from_slice(&tag.to_be_bytes());
        frame.extend_from_slice(&[0, 7]);
    }
    frame.extend_from_slice(&ether_type.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2 with so many words of options.
pub fn ipv4_packet(options: u8, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header = 20 + usize::from(options) * 4;
    let total = u16::try_from(header + payload.len()).expect("a short packet");
    let mut packet = vec![0x45 + options, 0];
    packet.extend_from_slice(&total.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.resize(header, 1);
    packet.extend_from_slice(payload);
    packet
}

/// An untagged IPv4 frame.
pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    tagged(&[], IPV4, &ipv4_packet(0, protocol, payload))
}

/// An untagged IPv6 frame from `fd00::1` to `fd00::2`.
pub fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a short packet");
    let address = |last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[next, 255]);
    packet.extend_from_slice(&address(1));
    packet.extend_from_slice(&address(2));
    packet.extend_from_slice(payload);
    tagged(&[], IPV6, &packet)
}

/// An extension header of `8 + 8 * more` bytes.
pub fn extension(next: u8, more: u8) -> Vec<u8> {
    let mut header = vec![next, more];
    header.resize(8 + usize::from(more) * 8, 0);
    header
}

/// An authentication header of sixteen bytes (RFC 4302).
pub fn authentication(next: u8) -> Vec<u8> {
    let mut header = vec![next, 2];
    header.resize(16, 0);
    header
}

/// A fragment header; the offset is in units of eight bytes.
pub fn fragment(next: u8, offset: u16, more: bool) -> Vec<u8> {
    let [high, low] = (offset << 3 | u16::from(more)).to_be_bytes();
    vec![next, 0, high, low, 0, 0, 0, 1]
}

/// A chain of extension headers of these kinds, before a TCP segment: the first kind, and the bytes.
pub fn chain(kinds: &[u8]) -> (u8, Vec<u8>) {
    let mut bytes = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        let next = kinds.get(index + 1).copied().unwrap_or(6);
        match kind {
            51 => bytes.extend(authentication(next)),
            _ => bytes.extend(extension(next, 0)),
        }
    }
    bytes.extend_from_slice(&SYN);
    (kinds.first().copied().unwrap_or(6), bytes)
}

/// A neighbour discovery message of this type about a target, with MAC addresses in options of these types. Of other
/// types only the first eight bytes.
pub fn discovery(kind: u8, target: [u8; 16], options: &[(u8, [u8; 6])]) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    match kind {
        134 => message.extend([0; 8]),
        135 | 136 => message.extend(target),
        137 => message.extend([target, target].concat()),
        _ => {}
    }
    for (option, mac) in options {
        message.extend([*option, 1]);
        message.extend(mac);
    }
    message
}

/// An ARP request (RFC 826) by whoever says to have this MAC address and IPv4 address.
pub fn arp(mac: [u8; 6], address: [u8; 4]) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, 1];
    let target = [0, 0, 0, 0, 0, 0, 10, 0, 0, 254];
    [&head[..], &mac, &address, &target].concat()
}
