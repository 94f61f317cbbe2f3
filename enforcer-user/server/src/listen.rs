//! Listening: sockets, and what a connection may take.

mod admission;
mod shown;

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

use self::admission::CONNECTIONS;
pub use self::{
    admission::{Admission, Admitted},
    shown::{Showing, Shown},
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Open files besides connections: the database several times over, and room to spare.
const OTHER_FILES: u64 = 128;

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

/// Allows this process as many open files as its connections need. Systems start programs with 1024.
pub fn allow_files() {
    let needed = CONNECTIONS as u64 + OTHER_FILES;
    let allowed = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let raised = soft.max(needed.min(hard));
        setrlimit(Resource::RLIMIT_NOFILE, raised, hard).map(|()| raised)
    });
    match allowed {
        Ok(allowed) if allowed >= needed => {}
        Ok(allowed) => tracing::warn!(
            allowed,
            needed,
            "few open files are allowed: with many gateways, raise the limit (LimitNOFILE)"
        ),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}
