//! What carries a verdict out, and what becomes of the bytes of a packet.

use super::{Flows, way};
use enforcer_common::{
    bucket::Purpose,
    counter::Hook,
    decide::{Direction, Judged, Verdict},
    host::{Address, Family, Host},
    mac::Mac,
    packet::{Kind, Packet, Part, Transport, tcp_flag},
    reply::{self, Checksum, checksum_of},
    settings::InterfaceRow,
};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It stays as it is, whether it goes on or not.
    Nothing,
    /// It goes on with the address and port of the portal.
    ToPortal,
    /// It goes on with this address, that the host connected to, and its port.
    FromPortal(Address),
    /// It becomes a reset for its sender.
    Reset,
    /// It becomes an ICMP error for its sender.
    Error,
    /// It becomes a reset for its receiver.
    Close,
    /// Its verdict could not be carried out: it is dropped.
    Gone,
}

impl Act {
    /// The words for all of them.
    pub const NAMES: [&'static str; 7] = [
        "nothing",
        "to_portal",
        "from_portal",
        "reset",
        "error",
        "close",
        "gone",
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        let place = match self {
            Self::Nothing => 0,
            Self::ToPortal => 1,
            Self::FromPortal(_) => 2,
            Self::Reset => 3,
            Self::Error => 4,
            Self::Close => 5,
            Self::Gone => 6,
        };
        Self::NAMES[place]
    }

    /// What was done in the end, where the verdict was this one.
    pub fn done(self, verdict: Verdict) -> Verdict {
        match self {
            Self::Nothing => verdict,
            Self::FromPortal(_) => Verdict::Pass,
            Self::ToPortal => Verdict::Redirect,
            Self::Reset | Self::Error => Verdict::Reject,
            Self::Close => Verdict::Close,
            Self::Gone => Verdict::Drop,
        }
    }

    /// What becomes of a packet that was judged. `may` says whether the rates leave one more.
    pub fn of(
        hook: Hook,
        frame: &[u8],
        judged: &Judged,
        interface: &InterfaceRow,
        flows: &Flows,
        may: &dyn Fn(Purpose) -> bool,
    ) -> Self {
        let (Ok(Kind::Ip | Kind::Chain), Some((host, _))) = (judged.kind, judged.host) else {
            return Self::Nothing;
        };
        let case = Case {
            hook,
            frame,
            packet: &judged.packet,
            host: &host,
            interface,
            flows,
            may,
        };
        let way = way(hook);
        match judged.judgement.verdict {
            Verdict::Pass if way == Direction::ToHost => case.pass_to_host(),
            Verdict::Pass | Verdict::Drop => Self::Nothing,
            _ if judged.judgement.monitored => Self::Nothing,
            Verdict::Reject => case.reject(way),
            Verdict::Redirect => case.redirect(),
            Verdict::Close => case.close(),
        }
    }
}

struct Case<'a> {
    hook: Hook,
    frame: &'a [u8],
    packet: &'a Packet,
    host: &'a Host,
    interface: &'a InterfaceRow,
    flows: &'a Flows,
    may: &'a dyn Fn(Purpose) -> bool,
}

impl Case<'_> {
    fn reject(&self, way: Direction) -> Act {
        if !(self.may)(Purpose::Reply) {
            return Act::Gone;
        }
        // Nobody is told of what was sent to many (RFC 1812 section 4.3.2.7, RFC 1122 section 4.2.3.10).
        let to: [u8; 6] = *self.frame.first_chunk().expect("an Ethernet header");
        if Mac::new(to).is_group() {
            return Act::Gone;
        }
        let Transport::Tcp(_, flags) = self.packet.transport_header() else {
            return Act::Error;
        };
        let through_stack = way == Direction::ToHost;
        if flags.bits & tcp_flag::RST != 0 || !self.can_be_a_reset(through_stack) {
            return Act::Gone;
        }
        Act::Reset
    }

    /// Where the kernel is still to complete a checksum, it does so at the place that it noted: the TCP header must not
    /// move then.
    fn can_be_a_reset(&self, through_stack: bool) -> bool {
        if self.hook == Hook::Xdp && !through_stack {
            return true;
        }
        let header = match self.packet.source.family() {
            Family::V4 => reply::IPV4,
            Family::V6 => reply::IPV6,
        };
        let stays = self.packet.network + header == self.packet.transport;
        stays || checksum_of(self.frame, self.packet) == Some(Checksum::Whole)
    }

    fn redirect(&self) -> Act {
        let packet = self.packet;
        let portal = self.interface.own(packet.destination.family());
        let has_portal = portal.is_some() && self.interface.portal_port != 0;
        if packet.part == Part::Later {
            let known = self
                .flows
                .has_fragment(self.host, packet.fragment_id, &packet.destination);
            return if has_portal && known {
                Act::ToPortal
            } else {
                Act::Gone
            };
        }
        let Some(ports) = packet.ports() else {
            return Act::Gone;
        };
        let opens = packet.is_bare_syn();
        if has_portal && opens && !(self.may)(Purpose::Portal) {
            return Act::Gone;
        }
        let goes_there = opens
            || self
                .flows
                .goes_to(self.host, ports.source, &packet.destination);
        if has_portal && goes_there {
            Act::ToPortal
        } else {
            self.reject(Direction::FromHost)
        }
    }

    fn close(&self) -> Act {
        if (self.may)(Purpose::Reply) && self.can_be_a_reset(true) {
            Act::Close
        } else {
            Act::Gone
        }
    }

    /// An answer of the portal in a flow that was redirected to it is given the address that the host knows.
    fn pass_to_host(&self) -> Act {
        let Transport::Tcp(ports, _) = self.packet.transport_header() else {
            return Act::Nothing;
        };
        let source = self.packet.source;
        let of_portal = ports.source == self.interface.portal_port
            && self.interface.own(source.family()) == Some(source);
        let server = self.flows.server(self.host, ports.destination);
        match server {
            Some(server) if of_portal => Act::FromPortal(*server),
            _ => Act::Nothing,
        }
    }
}
