//! The sockets that the HTTP child listens on.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Why a socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The interface is not there, or not ours to listen on.
    #[error("cannot listen on the interface {interface}; `ip link` shows those that there are")]
    Interface {
        /// Its name.
        interface: String,
        /// Why.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; `ss -ltnp` shows who else does")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Listens on every address of one interface (or of all), over both families where the machine has both.
pub fn on_interface(interface: Option<&str>, port: u16) -> Result<TcpListener, ListenError> {
    let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match open(both, interface) {
        Err(ListenError::Address { source, .. })
            if source.raw_os_error() == Some(libc::EAFNOSUPPORT) =>
        {
            open((Ipv4Addr::UNSPECIFIED, port).into(), interface)
        }
        opened => opened,
    }
}

/// Listens on one address.
pub fn on_address(address: SocketAddr) -> Result<TcpListener, ListenError> {
    open(address, None)
}

fn open(address: SocketAddr, interface: Option<&str>) -> Result<TcpListener, ListenError> {
    let failed = |source| ListenError::Address { address, source };
    let socket = socket(address).map_err(failed)?;
    if let Some(interface) = interface {
        // Needs no privilege while the socket is bound to no interface yet (Linux 5.7 and later).
        socket
            .bind_device(Some(interface.as_bytes()))
            .map_err(|source| ListenError::Interface {
                interface: interface.to_owned(),
                source,
            })?;
    }
    let listening = socket
        .bind(&address.into())
        .and_then(|()| socket.listen(BACKLOG))
        .and_then(|()| TcpListener::from_std(socket.into()));
    listening.map_err(failed)
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
