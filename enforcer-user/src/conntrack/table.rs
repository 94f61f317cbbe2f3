//! Reading the table and taking entries out, over netlink.

use std::{fs, io, net::IpAddr};

use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
    conntrack::{ConntrackAttribute, ConntrackMessage},
};
use rtnetlink::{
    packet_core::{NLM_F_ACK, NLM_F_DUMP},
    sys::protocols::NETLINK_NETFILTER,
};

use super::{
    entry::{Entry, Whose},
    translation::{Flow, Outside},
};
use crate::netlink::{AnswerError, Channel};

/// How many entries there are; the file is there when the kernel tracks connections at all.
const COUNT: &str = "/proc/sys/net/netfilter/nf_conntrack_count";

/// Why entries could not be taken out.
#[derive(Debug, thiserror::Error)]
pub enum ConntrackError {
    /// The kernel tracks no connections.
    #[error(
        "this kernel tracks no connections ({COUNT} is not there): nothing is translated or offloaded by it, and \
         nothing has to be forgotten"
    )]
    Absent,
    /// The table cannot be spoken to.
    #[error(
        "the connection tracking table cannot be reached: {0}; `modprobe nf_conntrack_netlink` adds what speaks \
         for it"
    )]
    Unreachable(#[from] AnswerError),
}

/// What became of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Entries that were taken out.
    pub entries: u64,
    /// Entries that could not be understood, and stayed.
    pub garbled: u64,
}

/// Takes out the entries of connections of these hosts, whichever end opened them. The table is read once and
/// never held whole.
///
/// An entry does not say by which interface its packets come. Where one address is in several zones, the
/// connections of all of them go; those that still may are picked up again with their next packet.
///
/// # Errors
///
/// When there is no such table, or the kernel does not answer. What was taken out by then stays out.
pub fn forget(whose: &Whose) -> Result<Forgotten, ConntrackError> {
    let mut forgotten = Forgotten::default();
    if whose.hosts.is_empty() || is_empty()? {
        return Ok(forgotten);
    }
    // Two sockets: the reading one is in the middle of its answer while the other one orders.
    let reading = Channel::open(NETLINK_NETFILTER).map_err(AnswerError::from)?;
    let ordering = Channel::open(NETLINK_NETFILTER).map_err(AnswerError::from)?;
    let all = ConntrackMessage::Get(Vec::new());
    let all = message(NetfilterProtoFamily::Unspec, all);
    reading.ask(NLM_F_DUMP, all, |answer| {
        let Ok(answer) = answer else {
            forgotten.garbled += 1;
            return Ok(());
        };
        let entry = attributes(answer).and_then(Entry::read);
        if let Some(entry) = entry.filter(|entry| entry.is_of(whose)) {
            forgotten.entries += u64::from(take_out(&ordering, entry)?);
        }
        Ok::<(), ConntrackError>(())
    })?;
    Ok(forgotten)
}

/// Hands out every TCP connection in the table.
pub(super) fn flows(mut each: impl FnMut(Flow)) -> Result<(), ConntrackError> {
    if is_empty()? {
        return Ok(());
    }
    let reading = Channel::open(NETLINK_NETFILTER).map_err(AnswerError::from)?;
    let all = ConntrackMessage::Get(Vec::new());
    let all = message(NetfilterProtoFamily::Unspec, all);
    reading.ask(NLM_F_DUMP, all, |answer| {
        let attributes = answer.ok().and_then(attributes);
        if let Some(flow) = attributes.and_then(|all| Flow::read(&all)) {
            each(flow);
        }
        Ok::<(), ConntrackError>(())
    })
}

/// The connection that the far end sees so; `None` when there is none in the table.
pub(super) fn flow(table: &Channel, outside: Outside) -> Result<Option<Flow>, AnswerError> {
    let question = ConntrackMessage::Get(vec![outside.tuple()]);
    let question = message(family(outside.from.ip()), question);
    let mut found = None;
    let asked = table.ask(NLM_F_ACK, question, |answer| {
        let attributes = answer.ok().and_then(attributes);
        found = found.or(attributes.and_then(|all| Flow::read(&all)));
        Ok::<(), AnswerError>(())
    });
    match asked {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(found),
    }
}

/// Whether the entry was still there.
fn take_out(table: &Channel, entry: Entry) -> Result<bool, AnswerError> {
    let family = family(entry.opener());
    let order = message(family, ConntrackMessage::Delete(entry.into_name()));
    match table.ask(NLM_F_ACK, order, |_| Ok::<(), AnswerError>(())) {
        Ok(()) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_empty() -> Result<bool, ConntrackError> {
    match fs::read_to_string(COUNT) {
        Ok(count) => Ok(count.trim() == "0"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ConntrackError::Absent),
        Err(error) => Err(AnswerError::Refused(error).into()),
    }
}

/// The address family of a connection with this address at an end.
pub(super) fn family(address: IpAddr) -> NetfilterProtoFamily {
    match address {
        IpAddr::V4(_) => NetfilterProtoFamily::IPv4,
        IpAddr::V6(_) => NetfilterProtoFamily::IPv6,
    }
}

fn message(family: NetfilterProtoFamily, message: ConntrackMessage) -> NetfilterMessage {
    NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message)
}

/// What the kernel tells of an entry; `None` when it tells of something else.
fn attributes(message: NetfilterMessage) -> Option<Vec<ConntrackAttribute>> {
    match message.inner {
        NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)) => Some(attributes),
        _ => None,
    }
}
