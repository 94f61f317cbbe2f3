//! A packet as a host would send it, for explanations.

use std::net::IpAddr;

use enforcer_common::packet::{Vlans, protocol, tcp_flag};

use crate::control::remote::Remote;

const SOURCE_PORT: u16 = 49_152;

/// An Ethernet frame from `host` at `mac` to `to`, in these VLANs: for TCP the segment that opens a flow.
pub(super) fn frame(host: IpAddr, to: Remote, mac: [u8; 6], vlans: Vlans) -> Vec<u8> {
    let transport = transport(to);
    let length = u16::try_from(transport.len()).unwrap_or(u16::MAX);
    let mut frame = vec![0; 6];
    frame.extend(mac);
    for vlan in [vlans.outer, vlans.inner] {
        if vlan != 0 {
            frame.extend(0x8100_u16.to_be_bytes());
            frame.extend(vlan.to_be_bytes());
        }
    }
    match (host, to.address) {
        (IpAddr::V4(from), IpAddr::V4(address)) => {
            frame.extend(0x0800_u16.to_be_bytes());
            frame.extend([0x45, 0]);
            frame.extend((20 + length).to_be_bytes());
            frame.extend([0, 0, 0, 0, 64, to.protocol, 0, 0]);
            frame.extend(from.octets());
            frame.extend(address.octets());
        }
        (from, address) => {
            frame.extend(0x86dd_u16.to_be_bytes());
            frame.extend([0x60, 0, 0, 0]);
            frame.extend(length.to_be_bytes());
            frame.extend([to.protocol, 64]);
            frame.extend(v6(from));
            frame.extend(v6(address));
        }
    }
    frame.extend(transport);
    frame
}

fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn transport(to: Remote) -> Vec<u8> {
    let ports = [
        SOURCE_PORT.to_be_bytes(),
        to.port.unwrap_or(0).to_be_bytes(),
    ]
    .concat();
    match to.protocol {
        protocol::TCP => {
            let mut tcp = ports;
            tcp.extend([0; 8]);
            tcp.extend([0x50, tcp_flag::SYN, 0, 0, 0, 0, 0, 0]);
            tcp
        }
        protocol::UDP | protocol::SCTP => [ports, vec![0, 8, 0, 0]].concat(),
        protocol::ICMP => vec![8, 0, 0, 0, 0, 0, 0, 0],
        protocol::ICMPV6 => vec![128, 0, 0, 0, 0, 0, 0, 0],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::packet::{Frame, parse};

    use super::*;

    #[test]
    fn every_frame_is_well_formed() {
        for (host, to) in [
            ("192.0.2.1", "198.51.100.1:443/tcp"),
            ("192.0.2.1", "198.51.100.1:53/udp"),
            ("192.0.2.1", "198.51.100.1/icmp"),
            ("192.0.2.1", "198.51.100.1/47"),
            ("2001:db8::1", "[2001:db8::2]:443/tcp"),
            ("2001:db8::1", "2001:db8::2/icmp"),
        ] {
            let to: Remote = to.parse().expect("a remote");
            let vlans = Vlans {
                outer: 10,
                inner: 20,
            };
            let frame = frame(host.parse().expect("an address"), to, [2; 6], vlans);
            let Ok(Frame::Ip(packet)) = parse(&frame[..]) else {
                panic!("{to}")
            };
            assert_eq!(packet.vlans, vlans);
            assert_eq!(IpAddr::from(packet.destination), to.address);
            assert_eq!(packet.ports().map(|ports| ports.destination), to.port);
        }
    }
}
