//! Connections with the management servers, watched: which of them are translated here.

use std::{
    collections::{BTreeSet, HashSet},
    io,
    net::SocketAddr,
    time::Duration,
};

use netlink_packet_netfilter::{
    NetfilterMessage, NetfilterMessageInner, conntrack::ConntrackMessage,
};
use nix::sys::socket::{setsockopt, sockopt};
use rtnetlink::{
    packet_core::{NetlinkMessage, NetlinkPayload},
    sys::{
        AsyncSocket, AsyncSocketExt, SocketAddr as Port, TokioSocket, protocols::NETLINK_NETFILTER,
    },
};
use socket2::SockRef;
use tokio::{
    sync::{mpsc, watch},
    time::{self, Instant},
};

use super::{
    filter,
    table::{self, ConntrackError},
    translation::{Flow, Translation},
    translations::ROWS,
};
use crate::netlink::messages;

/// Where connections that begin and that end are told (`NFNLGRP_CONNTRACK_NEW` and `NFNLGRP_CONNTRACK_DESTROY` of
/// `linux/netfilter/nfnetlink_compat.h`).
const GROUPS: [u32; 2] = [1, 3];

/// How much the kernel may have to tell while nobody listens, in bytes: some thousand connections.
const QUEUE: usize = 1 << 21;

/// The management servers, as they are seen from here.
pub type Servers = HashSet<SocketAddr>;

/// How long after a listing another one may begin, at least, and how many times as long as it took: so that a flood
/// of connections, of which not all can be told, does not keep the machine listing.
const PAUSE: Duration = Duration::from_millis(500);
const REST: u32 = 10;

/// What the kernel tells of translated connections with the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// One begins.
    Begins(Translation),
    /// One has ended.
    Ended(Translation),
    /// These are all that there are.
    All(Vec<Translation>),
}

/// Whether the kernel tells of connections at all.
const SWITCH: &str = "/proc/sys/net/netfilter/nf_conntrack_events";

/// Why connections are not watched.
#[derive(Debug, thiserror::Error)]
#[error(
    "the kernel does not tell of connections: {0}; endpoints whose address this machine translates on the way to the \
     management server are found only while their connection lasts; `modprobe nf_conntrack_netlink` adds what tells"
)]
pub struct WatchError(#[from] io::Error);

/// Tells the translated connections with these servers: all of them at first, when the servers change, when it is
/// wanted, and when the kernel had more to tell than could be held; and then each that begins or ends, until nobody
/// listens any more.
pub async fn watch(
    mut servers: watch::Receiver<Servers>,
    mut wanted: mpsc::Receiver<()>,
    told: mpsc::Sender<Told>,
) -> Result<(), WatchError> {
    let mut events = Events::listen(&servers.borrow())?;
    let is_told = std::fs::read_to_string(SWITCH).is_ok_and(|switch| switch.trim() != "0");
    if !is_told && !servers.borrow().is_empty() {
        tracing::warn!(
            "{SWITCH} is 0 or not there, so that the kernel does not tell of connections: endpoints whose address this \
             machine translates are found only while their connection lasts; `modprobe nf_conntrack` and `sysctl -w \
             net.netfilter.nf_conntrack_events=2` change that"
        );
    }
    let (mut is_dump_due, mut next) = (true, Instant::now());
    loop {
        let begin = Instant::now();
        if is_dump_due && next <= begin {
            is_dump_due = false;
            let servers = servers.borrow_and_update().clone();
            events.only(&servers)?;
            if let Some(all) = all(servers).await {
                tell(&told, Told::All(all)).await;
            }
            next = Instant::now() + PAUSE.max(begin.elapsed() * REST);
        }
        tokio::select! {
            read = events.next() => {
                let Some(datagram) = read? else {
                    is_dump_due = true;
                    continue;
                };
                let understood = understood(&datagram, &servers.borrow());
                for one in understood {
                    tell(&told, one).await;
                }
            }
            changed = servers.changed() => match changed {
                Ok(()) => is_dump_due = true,
                Err(_) => return Ok(()),
            },
            asked = wanted.recv() => match asked {
                Some(()) => is_dump_due = true,
                None => return Ok(()),
            },
            () = time::sleep_until(next), if is_dump_due => {}
            () = told.closed() => return Ok(()),
        }
    }
}

/// What the kernel tells of connections.
struct Events(TokioSocket);

impl Events {
    fn listen(servers: &Servers) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_NETFILTER)?;
        socket.socket_mut().bind(&Port::new(0, 0))?;
        setsockopt(socket.socket_ref(), sockopt::RcvBufForce, &QUEUE)?;
        let events = Self(socket);
        events.only(servers)?;
        for group in GROUPS {
            events.0.socket_ref().add_membership(group)?;
        }
        Ok(events)
    }

    /// Has the kernel leave out what goes elsewhere.
    fn only(&self, servers: &Servers) -> io::Result<()> {
        let ports: BTreeSet<u16> = servers.iter().map(SocketAddr::port).collect();
        SockRef::from(self.0.socket_ref()).attach_filter(&filter::to_ports(&ports))
    }

    /// What comes next; `None` when something was lost.
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.0.recv_from_full().await {
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(None),
            read => read.map(|(datagram, _)| Some(datagram)),
        }
    }
}

async fn tell(told: &mpsc::Sender<Told>, one: Told) {
    // An error means that nobody listens any more, which ends `watch`.
    let _ = told.send(one).await;
}

fn understood(datagram: &[u8], servers: &Servers) -> Vec<Told> {
    let told = |bytes: &[u8]| {
        let message = NetlinkMessage::<NetfilterMessage>::deserialize(bytes).ok()?;
        let NetlinkPayload::InnerMessage(message) = message.payload else {
            return None;
        };
        match message.inner {
            NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)) => {
                Flow::read(&attributes)?.translation().map(Told::Begins)
            }
            NetfilterMessageInner::Conntrack(ConntrackMessage::Delete(attributes)) => {
                Flow::read(&attributes)?.translation().map(Told::Ended)
            }
            _ => None,
        }
    };
    let is_of_servers = |told: &Told| match told {
        Told::Begins(one) | Told::Ended(one) => servers.contains(&one.outside.to),
        Told::All(_) => true,
    };
    messages(datagram)
        .filter_map(told)
        .filter(is_of_servers)
        .collect()
}

/// Every translated connection with these servers; `None` when the table cannot be read.
async fn all(servers: Servers) -> Option<Vec<Translation>> {
    let mut found = Vec::new();
    let reading = tokio::task::spawn_blocking(move || {
        let done = table::flows(|flow| {
            let wanted = flow
                .translation()
                .filter(|one| servers.contains(&one.outside.to));
            // More than are kept anyway would only push each other out.
            if found.len() < ROWS {
                found.extend(wanted);
            }
        });
        done.map(|()| found)
    });
    match reading.await.ok()? {
        Ok(found) => Some(found),
        // Nothing is translated.
        Err(ConntrackError::Absent) => Some(Vec::new()),
        Err(error) => {
            tracing::warn!(
                "{error}; endpoints whose addresses are translated here may not be found"
            );
            None
        }
    }
}
