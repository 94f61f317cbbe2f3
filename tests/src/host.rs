//! A host on the network, and what its user does there.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    os::fd::AsRawFd,
    process::Command,
    time::Duration,
};

use anyhow::Context;
use nix::{
    ifaddrs::getifaddrs,
    sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, sendto, socket},
};
use socket2::{Domain, Socket, Type};

use crate::{namespace::Namespace, wait::patient};

/// How long an answer may take where there is to be one.
pub const ANSWERING: Duration = Duration::from_secs(3);
/// How long nothing comes where nothing is to come.
pub const SILENCE: Duration = Duration::from_millis(300);

/// The most of an answer that is read.
const MAX_PAGE: u64 = 1 << 20;

/// A host with one interface.
pub struct Host {
    /// Where it is.
    pub namespace: Namespace,
    /// Its IPv4 address.
    pub v4: IpAddr,
    /// Its IPv6 address.
    pub v6: IpAddr,
    /// Its MAC address.
    pub mac: String,
}

/// What comes of asking for a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A whole answer, head and body.
    Http(String),
    /// The connection was refused, or reset.
    Reset,
    /// Nothing within the time.
    Silence,
}

impl Answer {
    fn of(exchange: io::Result<String>) -> Self {
        match exchange {
            Ok(text) => Self::Http(text),
            Err(error) => match error.kind() {
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Self::Reset,
                _ => Self::Silence,
            },
        }
    }

    /// Whether this is the page that was asked for.
    pub fn is_page(&self) -> bool {
        matches!(self, Self::Http(text) if text.starts_with("HTTP/1.1 200 "))
    }

    /// Where it leads to, if elsewhere.
    pub fn leads_to(&self) -> Option<&str> {
        let Self::Http(text) = self else { return None };
        text.starts_with("HTTP/1.1 302 ").then_some(())?;
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix("location: "))
    }

    /// The text of an answer; empty when there is none.
    pub fn text(&self) -> &str {
        match self {
            Self::Http(text) => text,
            Self::Reset | Self::Silence => "",
        }
    }
}

impl Host {
    /// The host with this last number in its addresses, and in its MAC address.
    pub(crate) fn new(namespace: Namespace, number: u8) -> Self {
        Self {
            namespace,
            v4: Ipv4Addr::new(192, 0, 2, number).into(),
            v6: format!("2001:db8:1::{number}")
                .parse::<Ipv6Addr>()
                .expect("an address")
                .into(),
            mac: format!("02:00:00:00:00:{number}"),
        }
    }

    /// Asks a web server for its first page.
    pub fn get(&self, server: SocketAddr) -> Answer {
        self.get_within(server, "/", ANSWERING)
    }

    /// Whether a web server shows its page; asked anew, since an answer that was held is only sent again
    /// a second later.
    pub fn passes(&self, server: SocketAddr) -> bool {
        self.get_within(server, "/", SILENCE).is_page()
    }

    /// Asks a web server for a page, for so long at most.
    pub fn get_within(&self, server: SocketAddr, path: &str, limit: Duration) -> Answer {
        self.namespace.enter(|| get(server, path, limit))
    }

    /// A TCP connection.
    pub fn connect(&self, server: SocketAddr) -> io::Result<TcpStream> {
        self.namespace.enter(|| {
            let stream = TcpStream::connect_timeout(&server, patient(ANSWERING))?;
            stream.set_read_timeout(Some(patient(ANSWERING)))?;
            Ok(stream)
        })
    }

    /// A UDP socket that speaks to a server.
    pub fn datagrams(&self, server: SocketAddr, limit: Duration) -> io::Result<UdpSocket> {
        self.namespace.enter(|| {
            let any: IpAddr = match server {
                SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            let socket = UdpSocket::bind((any, 0))?;
            socket.connect(server)?;
            socket.set_read_timeout(Some(patient(limit)))?;
            Ok(socket)
        })
    }

    /// Whether a server sends a datagram back within the time.
    pub fn echoes(&self, server: SocketAddr, limit: Duration) -> bool {
        let Ok(socket) = self.datagrams(server, limit) else {
            return false;
        };
        socket.send(b"anybody there?").is_ok() && socket.recv(&mut [0; 64]).is_ok()
    }

    /// The same from one of its addresses.
    pub fn echoes_from(&self, address: IpAddr, server: SocketAddr) -> bool {
        let exchange = || {
            let socket = UdpSocket::bind((address, 0))?;
            socket.set_read_timeout(Some(SILENCE))?;
            socket.send_to(b"anybody there?", server)?;
            socket.recv(&mut [0; 64])
        };
        self.namespace.enter(exchange).is_ok()
    }

    /// Asks a web server for its first page from one of its addresses.
    pub fn get_from(&self, address: IpAddr, server: SocketAddr) -> Answer {
        let connect = || {
            let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
            socket.bind(&SocketAddr::new(address, 0).into())?;
            socket.connect_timeout(&server.into(), SILENCE)?;
            converse(socket.into(), server, "/", SILENCE)
        };
        self.namespace.enter(|| Answer::of(connect()))
    }

    /// Whether a server answers to `ping` within a second.
    pub fn pings(&self, server: &str) -> bool {
        let limit = patient(Duration::from_secs(1)).as_secs().to_string();
        let mut ping = Command::new("ping");
        ping.args(["-n", "-q", "-c", "1", "-W", &limit, server]);
        let done = self.namespace.enter(|| ping.output());
        done.is_ok_and(|done| done.status.success())
    }

    /// Puts frames on the cable as they are.
    pub fn send_frames<'a>(
        &self,
        frames: impl Iterator<Item = &'a [u8]> + Send,
    ) -> anyhow::Result<()> {
        send_frames(&self.namespace, "eth0", frames)
    }
}

/// Puts frames on the cable of an interface as they are.
pub fn send_frames<'a>(
    namespace: &Namespace,
    interface: &str,
    frames: impl Iterator<Item = &'a [u8]> + Send,
) -> anyhow::Result<()> {
    namespace.enter(|| {
        let cable = getifaddrs()?
            .filter(|entry| entry.interface_name == interface)
            .find_map(|entry| entry.address?.as_link_addr().copied())
            .with_context(|| format!("no {interface}"))?;
        let (family, kind) = (AddressFamily::Packet, SockType::Raw);
        let socket = socket(family, kind, SockFlag::empty(), None)?;
        for frame in frames {
            sendto(socket.as_raw_fd(), frame, &cable, MsgFlags::empty())?;
        }
        Ok(())
    })
}

/// Asks for a page from where the calling thread is.
pub fn get(server: SocketAddr, path: &str, limit: Duration) -> Answer {
    let limit = patient(limit);
    let connected = TcpStream::connect_timeout(&server, limit);
    Answer::of(connected.and_then(|stream| converse(stream, server, path, limit)))
}

fn converse(
    mut stream: TcpStream,
    server: SocketAddr,
    path: &str,
    limit: Duration,
) -> io::Result<String> {
    stream.set_read_timeout(Some(limit))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(MAX_PAGE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
