//! One connection whose source address was translated.

use std::net::{IpAddr, SocketAddr};

use netlink_packet_netfilter::conntrack::{
    ConntrackAttribute, IPTuple, ProtoTuple, Protocol, Tuple,
};

/// A TCP connection that passes this machine under another source address, or another source port, than it was
/// opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Translation {
    /// What names it outside.
    pub outside: Outside,
    /// Who opened it, as that is known on the near side.
    pub inside: SocketAddr,
}

/// A connection as its far end sees it. No two have the same ends at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outside {
    /// Where it seems to come from.
    pub from: SocketAddr,
    /// The far end's own address and port.
    pub to: SocketAddr,
}

/// What the table says of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) opener: SocketAddr,
    pub(super) outside: Outside,
}

impl Flow {
    /// Understands what the kernel tells of an entry; `None` when it is not about TCP.
    pub(super) fn read(attributes: &[ConntrackAttribute]) -> Option<Self> {
        let (mut original, mut reply) = (None, None);
        for attribute in attributes {
            match attribute {
                ConntrackAttribute::CtaTupleOrig(tuple) => original = ends(tuple),
                ConntrackAttribute::CtaTupleReply(tuple) => reply = ends(tuple),
                _ => {}
            }
        }
        // Packets of the other direction come from the far end, and go to where it sees them come from.
        let ((opener, _), (to, from)) = (original?, reply?);
        let outside = Outside { from, to };
        Some(Self { opener, outside })
    }

    /// The translation, where there was one.
    pub(super) fn translation(self) -> Option<Translation> {
        let Self { opener, outside } = self;
        (opener != outside.from).then_some(Translation {
            outside,
            inside: opener,
        })
    }
}

impl Outside {
    /// The tuple by which the kernel finds the connection: that of packets from the far end.
    pub(super) fn tuple(self) -> ConntrackAttribute {
        ConntrackAttribute::CtaTupleReply(tuple(self.to, self.from, Protocol::Tcp))
    }
}

/// One direction of a connection between ports.
pub(super) fn tuple(from: SocketAddr, to: SocketAddr, protocol: Protocol) -> Vec<Tuple> {
    vec![
        Tuple::Ip(vec![
            IPTuple::SourceAddress(from.ip()),
            IPTuple::DestinationAddress(to.ip()),
        ]),
        Tuple::Proto(vec![
            ProtoTuple::Protocol(protocol),
            ProtoTuple::SourcePort(from.port()),
            ProtoTuple::DestinationPort(to.port()),
        ]),
    ]
}

/// Source and destination of one direction of a TCP connection.
fn ends(tuple: &[Tuple]) -> Option<(SocketAddr, SocketAddr)> {
    let mut addresses: [Option<IpAddr>; 2] = [None; 2];
    let mut ports = [None; 2];
    let mut is_tcp = false;
    for part in tuple {
        match part {
            Tuple::Ip(inner) => inner.iter().for_each(|one| match one {
                IPTuple::SourceAddress(address) => addresses[0] = Some(*address),
                IPTuple::DestinationAddress(address) => addresses[1] = Some(*address),
                _ => {}
            }),
            Tuple::Proto(inner) => inner.iter().for_each(|one| match one {
                ProtoTuple::Protocol(protocol) => is_tcp = *protocol == Protocol::Tcp,
                ProtoTuple::SourcePort(port) => ports[0] = Some(*port),
                ProtoTuple::DestinationPort(port) => ports[1] = Some(*port),
                _ => {}
            }),
            _ => {}
        }
    }
    let end = |at: usize| Some(SocketAddr::new(addresses[at]?, ports[at]?));
    Some((end(0)?, end(1)?)).filter(|_| is_tcp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address and a port")
    }

    fn entry(reply_to: &str, protocol: Protocol) -> Vec<ConntrackAttribute> {
        vec![
            ConntrackAttribute::CtaTupleOrig(tuple(
                at("10.0.0.5:40000"),
                at("203.0.113.1:443"),
                protocol,
            )),
            ConntrackAttribute::CtaTupleReply(tuple(
                at("198.51.100.80:8443"),
                at(reply_to),
                protocol,
            )),
        ]
    }

    #[test]
    fn both_ends_are_those_that_the_server_sees() {
        let entry = entry("198.51.100.1:1024", Protocol::Tcp);
        let flow = Flow::read(&entry).expect("a flow");
        let outside = Outside {
            from: at("198.51.100.1:1024"),
            to: at("198.51.100.80:8443"),
        };
        let inside = at("10.0.0.5:40000");
        assert_eq!(flow.translation(), Some(Translation { outside, inside }));
        assert_eq!(outside.tuple(), entry[1], "what the kernel finds it by");
    }

    #[test]
    fn other_connections_are_none() {
        let same = entry("10.0.0.5:40000", Protocol::Tcp);
        assert_eq!(Flow::read(&same).and_then(Flow::translation), None);
        let port = entry("10.0.0.5:1024", Protocol::Tcp);
        assert!(Flow::read(&port).and_then(Flow::translation).is_some());
        assert_eq!(Flow::read(&entry("192.0.2.1:1", Protocol::Udp)), None);
        assert_eq!(Flow::read(&same[..1]), None);
    }
}
