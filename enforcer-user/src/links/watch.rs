//! Interfaces, watched: what comes, goes and changes.

use std::{io, time::Duration};

use rtnetlink::{
    MulticastGroup,
    sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket, protocols::NETLINK_ROUTE},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::Forwarding;
use crate::netlink::AnswerError;

/// How long after a change others are waited for, so that they are looked at together.
const SETTLING: Duration = Duration::from_millis(10);

/// Why interfaces are not watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The kernel cannot be asked.
    #[error("cannot ask the kernel to tell of changed interfaces: {0}")]
    Open(#[from] io::Error),
    /// The kernel does not list them.
    #[error("the kernel does not list its interfaces: {0}")]
    Read(#[from] AnswerError),
}

/// Tells every interface, at first and whenever something has changed, until nobody listens any more.
pub async fn watch(seen: mpsc::Sender<Vec<Forwarding>>) -> Result<(), WatchError> {
    let mut changes = Changes::listen()?;
    loop {
        let Ok(all) = tokio::task::spawn_blocking(Forwarding::read).await else {
            // Only when the runtime ends.
            return Ok(());
        };
        if seen.send(all?).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            told = changes.next() => told?,
            () = seen.closed() => return Ok(()),
        }
        let settled = Instant::now() + SETTLING;
        while let Ok(told) = timeout_at(settled, changes.next()).await {
            told?;
        }
    }
}

/// What the kernel tells of changes. That there is one is enough: what is so now is read anew.
struct Changes(TokioSocket);

impl Changes {
    fn listen() -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        socket.socket_mut().bind(&SocketAddr::new(0, 0))?;
        // Links, and their switches for forwarding.
        for group in [
            MulticastGroup::Link,
            MulticastGroup::Ipv4Netconf,
            MulticastGroup::Ipv6Netconf,
        ] {
            socket.socket_mut().add_membership(group as u32)?;
        }
        Ok(Self(socket))
    }

    async fn next(&mut self) -> io::Result<()> {
        match self.0.recv_from_full().await {
            // The kernel had more to tell than the socket could hold.
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(()),
            read => read.map(drop),
        }
    }
}
