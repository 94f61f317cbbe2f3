//! What the kernel leaves out of what it tells of connections.
//!
//! A router may see many thousand connections a second begin and end. Those that do not go to a management server's
//! port are dropped before they are queued, by a classic BPF program on the socket.

use std::collections::BTreeSet;

use socket2::SockFilter;

/// The most ports that are told apart; with more, every TCP connection is told.
const MOST: usize = 64;

/// Behind the headers of netlink and of netfilter stand the attributes.
const ATTRIBUTES: u32 = 16 + 4;
/// An attribute's value stands behind its length and its kind.
const VALUE: u32 = 4;

/// `CTA_TUPLE_REPLY`, in it `CTA_TUPLE_PROTO`, in it `CTA_PROTO_NUM` and `CTA_PROTO_SRC_PORT`
/// (`linux/netfilter/nfnetlink_conntrack.h`).
const TUPLE_REPLY: u32 = 2;
const TUPLE_PROTO: u32 = 2;
const PROTO_NUM: u32 = 1;
const PROTO_SRC_PORT: u32 = 2;
const TCP: u32 = 6;

/// Where to load from so that the kernel looks for an attribute: `SKF_AD_OFF` with `SKF_AD_NLATTR`, and with
/// `SKF_AD_NLATTR_NEST` (`linux/filter.h`).
const FIND: u32 = 0xffff_f000 + 12;
const FIND_INSIDE: u32 = 0xffff_f000 + 16;

/// Instructions (`linux/bpf_common.h`).
const LOAD: u16 = 0x00;
const LOAD_ABSOLUTE: u16 = 0x20;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_BYTE_AT_X: u16 = 0x50;
const LOAD_KEPT: u16 = 0x60;
const SET_X: u16 = 0x01;
const KEEP: u16 = 0x02;
const COPY_TO_X: u16 = 0x07;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// A program that lets through what is told of TCP connections whose far end has one of these ports.
pub(super) fn to_ports(ports: &BTreeSet<u16>) -> Vec<SockFilter> {
    let mut program = Program::default();
    program.then(LOAD, ATTRIBUTES);
    program.find(FIND, TUPLE_REPLY);
    program.find(FIND_INSIDE, TUPLE_PROTO);
    program.then(KEEP, 0);
    program.find(FIND_INSIDE, PROTO_NUM);
    program.then(COPY_TO_X, 0);
    program.then(LOAD_BYTE_AT_X, VALUE);
    program.need(TCP);
    if ports.len() <= MOST {
        program.then(LOAD_KEPT, 0);
        program.find(FIND_INSIDE, PROTO_SRC_PORT);
        program.then(COPY_TO_X, 0);
        program.then(LOAD_HALF_AT_X, VALUE);
        program.need_one_of(ports);
    }
    program.then(RETURN, u32::MAX);
    program.0
}

#[derive(Default)]
struct Program(Vec<SockFilter>);

impl Program {
    fn then(&mut self, code: u16, value: u32) {
        self.0.push(SockFilter::new(code, 0, 0, value));
    }

    /// Looks for an attribute from where the accumulator points; ends when it is not there.
    fn find(&mut self, how: u32, kind: u32) {
        self.then(SET_X, kind);
        self.then(LOAD_ABSOLUTE, how);
        self.0.push(SockFilter::new(JUMP_IF_EQUAL, 0, 1, 0));
        self.then(RETURN, 0);
    }

    /// Ends unless this was loaded.
    fn need(&mut self, value: u32) {
        self.0.push(SockFilter::new(JUMP_IF_EQUAL, 1, 0, value));
        self.then(RETURN, 0);
    }

    /// Ends unless one of these was loaded.
    fn need_one_of(&mut self, values: &BTreeSet<u16>) {
        let left = (1..=values.len()).rev();
        for (value, left) in values.iter().zip(left) {
            // `MOST` of them are no more than a jump reaches.
            let behind = u8::try_from(left).unwrap_or(u8::MAX);
            let jump = SockFilter::new(JUMP_IF_EQUAL, behind, 0, u32::from(*value));
            self.0.push(jump);
        }
        self.then(RETURN, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, net::SocketAddr, os::unix::net::UnixDatagram};

    use netlink_packet_netfilter::{
        NetfilterHeader, NetfilterMessage, NetfilterProtoFamily,
        conntrack::{ConntrackAttribute, ConntrackMessage, Protocol},
    };
    use rtnetlink::packet_core::{NetlinkHeader, NetlinkMessage, NetlinkPayload};
    use socket2::SockRef;

    use super::*;
    use crate::conntrack::translation::tuple;

    /// What the kernel tells of a connection: with the far end's port, and perhaps with what stands before.
    fn told(to: SocketAddr, protocol: Protocol, is_marked: bool) -> Vec<u8> {
        let opener = SocketAddr::new(to.ip(), 443);
        let mut attributes = vec![ConntrackAttribute::CtaTupleOrig(tuple(
            opener, to, protocol,
        ))];
        if is_marked {
            attributes.push(ConntrackAttribute::CtaMark(8443));
        }
        attributes.push(ConntrackAttribute::CtaTupleReply(tuple(
            to, opener, protocol,
        )));
        let header = NetfilterHeader::new(NetfilterProtoFamily::IPv4, 0, 0);
        let message = NetfilterMessage::new(header, ConntrackMessage::New(attributes));
        let payload = NetlinkPayload::InnerMessage(message);
        let mut message = NetlinkMessage::new(NetlinkHeader::default(), payload);
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }

    /// Whether the kernel lets this through, on a socket of another kind, which knows the same filters.
    fn passes(ports: &[u16], bytes: &[u8]) -> bool {
        let (sender, receiver) = UnixDatagram::pair().expect("sockets");
        let filter = to_ports(&ports.iter().copied().collect());
        SockRef::from(&receiver)
            .attach_filter(&filter)
            .expect("a filter");
        receiver.set_nonblocking(true).expect("a socket");
        sender.send(bytes).expect("sent");
        match receiver.recv(&mut [0; 512]) {
            Ok(length) => length == bytes.len(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        }
    }

    #[test]
    fn only_connections_to_the_ports_are_told() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let to = |port| SocketAddr::new(address.parse().expect("an address"), port);
            for is_marked in [false, true] {
                let tcp = |port| told(to(port), Protocol::Tcp, is_marked);
                for port in [8443, 9443] {
                    assert!(passes(&[8443, 9443], &tcp(port)), "{port}");
                    assert!(!passes(
                        &[8443, 9443],
                        &told(to(port), Protocol::Udp, is_marked)
                    ));
                }
                assert!(!passes(&[8443, 9443], &tcp(443)));
                assert!(!passes(&[], &tcp(8443)));
                let many: Vec<u16> = (1..=64).collect();
                assert!(passes(&many, &tcp(1)) && passes(&many, &tcp(64)));
                assert!(!passes(&many, &tcp(65)));
                let more: Vec<u16> = (1..=65).collect();
                assert!(passes(&more, &tcp(443)), "not told apart");
            }
        }
    }

    #[test]
    fn what_is_cut_short_is_not_told() {
        let whole = told(
            "192.0.2.1:8443".parse().expect("an end"),
            Protocol::Tcp,
            true,
        );
        for length in 0..whole.len() {
            assert!(!passes(&[8443], &whole[..length]), "{length}");
        }
        assert!(passes(&[8443], &whole));
    }
}
