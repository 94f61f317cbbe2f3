//! Where packets to an address go from here.

use std::net::IpAddr;

use rtnetlink::{
    packet_core::NLM_F_ACK,
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        route::{RouteAddress, RouteAttribute, RouteMessage, RouteType},
    },
    sys::protocols::NETLINK_ROUTE,
};

use crate::netlink::{AnswerError, Channel};

/// Where packets to an address go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is this machine's own address.
    Here,
    /// Out of this interface, as the kernel numbers it.
    By(u32),
}

/// The kernel's routes. An answer takes some microseconds.
#[derive(Debug, Default)]
pub struct Ways {
    /// Opened when it is first needed, and again after an error: then an answer may still be on the way.
    channel: Option<Channel>,
}

impl Ways {
    /// Where packets to this address go now; `None` when nowhere.
    pub fn ask(&mut self, to: IpAddr) -> Result<Option<Way>, AnswerError> {
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => Channel::open(NETLINK_ROUTE)?,
        };
        let mut way = None;
        let asked = channel.ask(NLM_F_ACK, question(to), |answer| {
            if let Ok(RouteNetlinkMessage::NewRoute(route)) = answer {
                way = read(&route);
            }
            Ok::<(), AnswerError>(())
        });
        match asked {
            Ok(()) => {}
            // What routes refuse, the kernel says as an error.
            Err(AnswerError::Refused(error)) if is_refusal(&error) => {}
            Err(error) => return Err(error),
        }
        self.channel = Some(channel);
        Ok(way)
    }
}

fn question(to: IpAddr) -> RouteNetlinkMessage {
    let mut route = RouteMessage::default();
    let (family, length, address) = match to {
        IpAddr::V4(to) => (AddressFamily::Inet, 32, RouteAddress::Inet(to)),
        IpAddr::V6(to) => (AddressFamily::Inet6, 128, RouteAddress::Inet6(to)),
    };
    route.header.address_family = family;
    route.header.destination_prefix_length = length;
    route.attributes.push(RouteAttribute::Destination(address));
    RouteNetlinkMessage::GetRoute(route)
}

fn read(route: &RouteMessage) -> Option<Way> {
    let mut attributes = route.attributes.iter();
    let interface = attributes.find_map(|attribute| match attribute {
        RouteAttribute::Oif(interface) => Some(*interface),
        _ => None,
    });
    match route.header.kind {
        RouteType::Local => Some(Way::Here),
        RouteType::Unicast => interface.map(Way::By),
        _ => None,
    }
}

fn is_refusal(error: &std::io::Error) -> bool {
    let refusals = [
        libc::ENETUNREACH,
        libc::EHOSTUNREACH,
        libc::EACCES,
        libc::EINVAL,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| refusals.contains(&code))
}
