//! Transport headers.

use etherparse::{Icmpv4Slice, IgmpSlice, IpNumber, TcpSlice, UdpHeaderSlice, UdpSlice, ip_number};

use super::{Rule, Rules};
use enforcer_common::packet::{Ports, Refusal, TcpFlags, Transport};

/// Headers of SCTP and ICMP are no shorter.
const LEAST: usize = 8;

pub(super) fn read(protocol: u8, body: &[u8], rules: &mut Rules) -> Result<Transport, Refusal> {
    read_known(IpNumber(protocol), body, rules).ok_or(Refusal::Malformed)
}

fn read_known(protocol: IpNumber, body: &[u8], rules: &mut Rules) -> Option<Transport> {
    match protocol {
        ip_number::TCP => {
            let tcp = TcpSlice::from_slice(body).ok()?;
            let flags = TcpFlags {
                bits: body[13],
                payload: !tcp.payload().is_empty(),
            };
            let ports = Ports {
                source: tcp.source_port(),
                destination: tcp.destination_port(),
            };
            Some(Transport::Tcp(ports, flags))
        }
        ip_number::UDP | ip_number::SCTP => {
            if protocol == ip_number::SCTP && body.len() < LEAST {
                rules.add(Rule::ShortSctp);
            }
            let udp = UdpHeaderSlice::from_slice(body).ok()?;
            if protocol == ip_number::UDP && UdpSlice::from_slice(body).is_err() {
                rules.add(Rule::UdpLength);
            }
            Some(Transport::Datagram(Ports {
                source: udp.source_port(),
                destination: udp.destination_port(),
            }))
        }
        ip_number::ICMP | ip_number::IPV6_ICMP => {
            let kind = *body.get(..LEAST)?.first()?;
            if protocol == ip_number::ICMP && Icmpv4Slice::from_slice(body).is_err() {
                rules.add(Rule::Timestamp);
            }
            Some(Transport::Icmp(kind))
        }
        ip_number::IGMP if IgmpSlice::from_slice(body).is_err() => {
            rules.add(Rule::IgmpLength);
            Some(Transport::None)
        }
        _ => Some(Transport::None),
    }
}
