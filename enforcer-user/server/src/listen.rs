//! Listening: sockets, and what a connection may take.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::Extension;
use axum_server::accept::Accept;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::Layer;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Connections that may be open: gateways keep one each, agents one for a moment.
const CONNECTIONS: usize = 4096;
/// How long a peer may leave what it is sent unacknowledged, or keep its window shut. After this a
/// gateway that is gone, or has stopped reading, holds nothing here any more.
const UNREAD: Duration = Duration::from_secs(20);

/// Listens on `address`, an IPv6 one for IPv6 alone: so `0.0.0.0` and `::` go together.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for connections that linger from before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Admits a bounded number of connections and sets what each may take. Clones share the bound.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Semaphore>);

impl Default for Admission {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CONNECTIONS)))
    }
}

/// Rides with the connection's service and ends with it.
type Permit = Extension<Arc<OwnedSemaphorePermit>>;

impl<S> Accept<TcpStream, S> for Admission {
    type Stream = TcpStream;
    type Service = <Permit as Layer<S>>::Service;
    type Future = std::future::Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        std::future::ready(self.admit(stream, service))
    }
}

impl Admission {
    fn admit<S>(
        &self,
        stream: TcpStream,
        service: S,
    ) -> io::Result<(TcpStream, <Permit as Layer<S>>::Service)> {
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else {
            tracing::warn!(
                limit = CONNECTIONS,
                "a connection was refused: too many are open"
            );
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        // A change must not wait for more to send.
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD))?;
        Ok((stream, Extension(Arc::new(permit)).layer(service)))
    }
}
