//! Packets, built by an independent library.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, IpHeaders, IpNumber, PacketBuilder, PacketBuilderStep,
    ip_number,
};

/// MAC address of the host in every fixture.
pub const HOST_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x10];
/// MAC address of another host.
pub const OTHER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x20];
/// MAC address of the gateway in every fixture.
pub const GATEWAY_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// What a TCP segment says in its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tcp {
    /// Opens a flow.
    Syn,
    /// Answers the opening.
    SynAck,
    /// Carries data.
    Data,
    /// Acknowledges, and carries nothing.
    Ack,
    /// Carries the last data.
    Fin,
    /// Resets.
    Reset,
}

/// Sequence number of every TCP fixture.
pub const SEQUENCE: u32 = 1_000_000;
/// Acknowledgement number of those that have one.
pub const ACKNOWLEDGEMENT: u32 = 2_000_000;

/// A TCP segment.
pub fn tcp(from: SocketAddr, to: SocketAddr, kind: Tcp, payload: &[u8]) -> Vec<u8> {
    let tcp = ip(from.ip(), to.ip()).tcp(from.port(), to.port(), SEQUENCE, 64_000);
    let tcp = match kind {
        Tcp::Syn => tcp.syn(),
        Tcp::SynAck => tcp.syn().ack(ACKNOWLEDGEMENT),
        Tcp::Data => tcp.psh().ack(ACKNOWLEDGEMENT),
        Tcp::Ack => tcp.ack(ACKNOWLEDGEMENT),
        Tcp::Fin => tcp.fin().ack(ACKNOWLEDGEMENT),
        Tcp::Reset => tcp.rst(),
    };
    let mut bytes = Vec::with_capacity(tcp.size(payload.len()));
    tcp.write(&mut bytes, payload).expect("writing to memory");
    bytes
}

/// A UDP datagram.
pub fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let udp = ip(from.ip(), to.ip()).udp(from.port(), to.port());
    let mut bytes = Vec::with_capacity(udp.size(payload.len()));
    udp.write(&mut bytes, payload).expect("writing to memory");
    bytes
}

/// An ICMP or ICMPv6 echo request.
pub fn ping(from: IpAddr, to: IpAddr) -> Vec<u8> {
    let mut bytes = Vec::new();
    let step = ip(from, to);
    let written = match from {
        IpAddr::V4(_) => step.icmpv4_echo_request(1, 1).write(&mut bytes, b"ping"),
        IpAddr::V6(_) => step.icmpv6_echo_request(1, 1).write(&mut bytes, b"ping"),
    };
    written.expect("writing to memory");
    bytes
}

/// An IP packet of any protocol.
pub fn raw(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip(from, to)
        .write(&mut bytes, IpNumber(protocol), payload)
        .expect("writing to memory");
    bytes
}

/// An ARP request by whoever says to have this MAC and IP address, about another address.
pub fn arp(mac: [u8; 6], sender: IpAddr, target: IpAddr) -> Vec<u8> {
    arp_message(ArpOperation::REQUEST, mac, sender, target)
}

/// The answer of whoever says to have this MAC and IP address.
pub fn arp_reply(mac: [u8; 6], sender: IpAddr, target: IpAddr) -> Vec<u8> {
    arp_message(ArpOperation::REPLY, mac, sender, target)
}

fn arp_message(operation: ArpOperation, mac: [u8; 6], sender: IpAddr, target: IpAddr) -> Vec<u8> {
    let (IpAddr::V4(sender), IpAddr::V4(target)) = (sender, target) else {
        panic!("ARP knows no {sender} {target}");
    };
    let message = ArpEthIpv4Packet {
        operation,
        sender_mac: mac,
        sender_ipv4: sender.octets(),
        target_mac: [0; 6],
        target_ipv4: target.octets(),
    };
    let mut frame = frame(0x0806, &message.to_bytes());
    frame.resize(60, 0);
    frame
}

/// A frame that is no IP packet.
pub fn frame(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [
        &GATEWAY_MAC[..],
        &HOST_MAC[..],
        &ether_type.to_be_bytes(),
        payload,
    ]
    .concat()
}

fn ip(from: IpAddr, to: IpAddr) -> PacketBuilderStep<IpHeaders> {
    let ethernet = PacketBuilder::ethernet2(HOST_MAC, GATEWAY_MAC);
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
        _ => panic!("addresses of two families: {from} {to}"),
    }
}

/// The upper-layer protocol of a frame, as the independent library reads it.
pub fn protocol(frame: &[u8]) -> Option<u8> {
    let packet = etherparse::LaxSlicedPacket::from_ethernet(frame).ok()?;
    Some(packet.net?.ip_payload_ref()?.ip_number.0)
}

/// An IPv4 address of the documentation range 192.0.2.0/24.
pub fn v4(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

/// An IPv6 address of the documentation range `2001:db8::/32`.
pub fn v6(last: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into()
}

/// A protocol number without ports.
pub const GRE: u8 = ip_number::GRE.0;
