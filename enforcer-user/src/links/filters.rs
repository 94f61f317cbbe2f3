//! Filters of traffic control on an interface.

use netlink_packet_route::{
    RouteNetlinkMessage,
    tc::{TcAttribute, TcFilterBpfOption, TcHandle, TcMessage, TcOption},
};
use rtnetlink::{packet_core::NLM_F_DUMP, sys::protocols::NETLINK_ROUTE};

use crate::netlink::{AnswerError, Channel};

/// A filter of the `clsact` queueing discipline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What kind it is: `bpf`, `flower`, `matchall`, …
    pub kind: String,
    /// Its preference: the lowest comes first.
    pub preference: u32,
    /// The kernel's number of its program.
    pub program: Option<u32>,
    /// Its name, as whoever attached it named it.
    pub name: String,
}

/// The filters for packets that come in (or else go out) by the interface with this number.
pub fn filters(index: u32, ingress: bool) -> Result<Vec<Filter>, AnswerError> {
    let mut request = TcMessage::default();
    request.header.index = i32::try_from(index).unwrap_or_default();
    let minor = if ingress { 0xfff2 } else { 0xfff3 };
    request.header.parent = TcHandle {
        major: 0xffff,
        minor,
    };
    let mut filters = Vec::new();
    let request = RouteNetlinkMessage::GetTrafficFilter(request);
    Channel::open(NETLINK_ROUTE)?.ask(NLM_F_DUMP, request, |answer| {
        if let RouteNetlinkMessage::NewTrafficFilter(message) = answer? {
            // Each kind has a first row that names no filter yet.
            filters.extend((message.header.handle != TcHandle::default()).then(|| read(&message)));
        }
        Ok::<(), AnswerError>(())
    })?;
    Ok(filters)
}

fn read(message: &TcMessage) -> Filter {
    let mut filter = Filter {
        kind: String::new(),
        preference: message.header.info >> 16,
        program: None,
        name: String::new(),
    };
    for attribute in &message.attributes {
        match attribute {
            TcAttribute::Kind(kind) => filter.kind.clone_from(kind),
            TcAttribute::Options(options) => {
                for option in options {
                    match option {
                        TcOption::Bpf(TcFilterBpfOption::ProgId(id)) => filter.program = Some(*id),
                        TcOption::Bpf(TcFilterBpfOption::ProgName(name)) => {
                            filter.name.clone_from(name);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    filter
}
