//! Reading the table and taking entries out, over netlink.

use std::{fs, io};

use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
    conntrack::{ConntrackAttribute, ConntrackMessage},
};
use nix::sys::{
    socket::{setsockopt, sockopt},
    time::{TimeVal, TimeValLike},
};
use rtnetlink::packet_core::{
    DecodeError, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use rtnetlink::sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};

use super::entry::{Entry, Whose};

/// How many entries there are; the file is there when the kernel tracks connections at all.
const COUNT: &str = "/proc/sys/net/netfilter/nf_conntrack_count";

/// How long the kernel may take for one answer, in seconds.
const ANSWER: i64 = 5;

/// The most that the kernel says at once (`NLMSG_GOODSIZE` and what dumps may use: 32 KiB).
const DATAGRAM: usize = 1 << 16;

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
    Unreachable(io::Error),
    /// The kernel said something that is not understood.
    #[error("the kernel's answer about tracked connections is not understood: {0}")]
    Garbled(#[from] DecodeError),
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
    let (reading, ordering) = (open()?, open()?);
    let all = ConntrackMessage::Get(Vec::new());
    send(&reading, NLM_F_DUMP, NetfilterProtoFamily::Unspec, all)?;
    receive(&reading, |message| {
        let Ok(attributes) = message else {
            forgotten.garbled += 1;
            return Ok(());
        };
        let entry = Entry::read(attributes).filter(|entry| entry.is_of(whose));
        if let Some(entry) = entry {
            forgotten.entries += u64::from(take_out(&ordering, entry)?);
        }
        Ok(())
    })?;
    Ok(forgotten)
}

/// Whether the entry was still there.
fn take_out(socket: &Socket, entry: Entry) -> Result<bool, ConntrackError> {
    let family = entry.family();
    let order = ConntrackMessage::Delete(entry.into_name());
    send(socket, NLM_F_ACK, family, order)?;
    match receive(socket, |_| Ok(())) {
        Ok(()) => Ok(true),
        Err(ConntrackError::Unreachable(error)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn is_empty() -> Result<bool, ConntrackError> {
    match fs::read_to_string(COUNT) {
        Ok(count) => Ok(count.trim() == "0"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ConntrackError::Absent),
        Err(error) => Err(ConntrackError::Unreachable(error)),
    }
}

fn open() -> Result<Socket, ConntrackError> {
    let open = || {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER))?;
        Ok(socket)
    };
    open().map_err(ConntrackError::Unreachable)
}

/// Sends one request.
fn send(
    socket: &Socket,
    flags: u16,
    family: NetfilterProtoFamily,
    message: ConntrackMessage,
) -> Result<(), ConntrackError> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let message = NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message);
    let mut message = NetlinkMessage::new(header, message.into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    let sent = socket.send(&bytes, 0);
    sent.map(drop).map_err(ConntrackError::Unreachable)
}

/// Hands out entries until the answer ends.
fn receive(
    socket: &Socket,
    mut each: impl FnMut(Result<Vec<ConntrackAttribute>, DecodeError>) -> Result<(), ConntrackError>,
) -> Result<(), ConntrackError> {
    let mut datagram = Vec::with_capacity(DATAGRAM);
    loop {
        datagram.clear();
        let read = socket.recv(&mut datagram, 0);
        read.map_err(ConntrackError::Unreachable)?;
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let (message, behind) = split(rest)?;
            rest = behind;
            match NetlinkMessage::<NetfilterMessage>::deserialize(message).map(|one| one.payload) {
                Ok(NetlinkPayload::Done(_)) => return Ok(()),
                Ok(NetlinkPayload::Error(error)) if error.code.is_none() => return Ok(()),
                Ok(NetlinkPayload::Error(error)) => {
                    return Err(ConntrackError::Unreachable(error.to_io()));
                }
                Ok(NetlinkPayload::InnerMessage(NetfilterMessage {
                    inner: NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)),
                    ..
                })) => each(Ok(attributes))?,
                Ok(_) => {}
                Err(error) => each(Err(error))?,
            }
        }
    }
}

/// The first message of a datagram, and what is behind it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let length = NetlinkBuffer::new_checked(bytes)?.length() as usize;
    let padded = length.next_multiple_of(4).min(bytes.len());
    Ok((&bytes[..length], &bytes[padded..]))
}
