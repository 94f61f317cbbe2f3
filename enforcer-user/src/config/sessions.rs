//! Who administers this machine over the network: SSH connections.

use std::{
    collections::{BTreeSet, HashSet},
    env, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Names of processes that serve SSH.
const SERVERS: [&str; 4] = ["sshd", "sshd-session", "sshd-auth", "dropbear"];
const SSH_PORT: u16 = 22;

/// The ports on which this process has seen servers of SSH listen. A gateway that has started may not look into their
/// processes any more, and knows by these who is connected to them.
static PORTS: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// The numbers of states in the kernel's list of sockets.
const ESTABLISHED: &str = "01";
const LISTENING: &str = "0A";

/// A connection through which somebody administers this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Where that person is.
    pub peer: IpAddr,
    /// The address here that they are connected to.
    pub local: IpAddr,
    /// The port here.
    pub port: u16,
    /// The address here from which packets to the peer set out by the routing table.
    pub route: Option<IpAddr>,
}

/// Why the connections cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// A list of the kernel cannot be read.
    #[error("cannot tell who is connected to this machine: {}: {cause}", path.display())]
    Read {
        /// The list.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
}

/// The connection that this command was given through, and every other one over SSH.
pub(super) fn read() -> Result<Vec<Session>, SessionsError> {
    let mut sessions: Vec<_> = env::var("SSH_CONNECTION")
        .ok()
        .and_then(|text| from_variable(&text))
        .into_iter()
        .collect();
    let lists = ["/proc/net/tcp", "/proc/net/tcp6"].map(|list| lines(Path::new(list)));
    let lists = lists.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let servers = server_sockets();
    ports.insert(SSH_PORT);
    ports.extend(lists.iter().flat_map(|list| listening(list, &servers)));
    for list in &lists {
        sessions.extend(from_list(list, &servers, &ports));
    }
    sessions.retain(|session| !session.peer.is_loopback());
    for session in &mut sessions {
        session.route = route(session.peer);
    }
    Ok(sessions)
}

/// The list for IPv6 is not there when the kernel has none.
fn lines(path: &Path) -> Result<String, SessionsError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => result.map_err(|cause| SessionsError::Read {
            path: path.to_owned(),
            cause,
        }),
    }
}

/// `SSH_CONNECTION`: peer, its port, the address here, the port here.
fn from_variable(text: &str) -> Option<Session> {
    let mut words = text.split_whitespace();
    let peer = address(words.next()?)?;
    let local = address(words.nth(1)?)?;
    Some(Session {
        peer,
        local,
        port: words.next()?.parse().ok()?,
        route: None,
    })
}

/// An address, without the interface behind `%` that link-local ones have.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.split('%').next()?;
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

/// The ports on which SSH servers listen by a list of the kernel.
fn listening(list: &str, servers: &HashSet<u64>) -> Vec<u16> {
    let sockets = list.lines().skip(1).filter_map(Listed::from_line);
    sockets
        .filter(|socket| socket.state == LISTENING && servers.contains(&socket.inode))
        .map(|socket| socket.local.port())
        .collect()
}

/// The established connections in a list of the kernel that an SSH server holds or that are to one of these
/// ports.
fn from_list(list: &str, servers: &HashSet<u64>, ports: &BTreeSet<u16>) -> Vec<Session> {
    let sockets = list.lines().skip(1).filter_map(Listed::from_line);
    sockets
        .filter(|socket| socket.state == ESTABLISHED)
        .filter(|socket| servers.contains(&socket.inode) || ports.contains(&socket.local.port()))
        .map(|socket| Session {
            peer: socket.peer.ip(),
            local: socket.local.ip(),
            port: socket.local.port(),
            route: None,
        })
        .collect()
}

/// A socket in a list of the kernel.
struct Listed<'a> {
    local: SocketAddr,
    peer: SocketAddr,
    state: &'a str,
    inode: u64,
}

impl<'a> Listed<'a> {
    fn from_line(line: &'a str) -> Option<Self> {
        let words: Vec<_> = line.split_whitespace().collect();
        Some(Self {
            local: socket_address(words.get(1)?)?,
            peer: socket_address(words.get(2)?)?,
            state: words.get(3)?,
            inode: words.get(9)?.parse().ok()?,
        })
    }
}

/// An address as the kernel lists it: words of 32 bits in the machine's byte order.
fn socket_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| {
        let digits = address.get(at..at + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let address: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some((address, u16::from_str_radix(port, 16).ok()?).into())
}

/// The sockets of processes that serve SSH, whatever port they are on. What may not be looked into
/// is left out.
fn server_sockets() -> HashSet<u64> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .map(|process| process.path())
        .filter(|process| serves_ssh(process))
        .filter_map(|process| fs::read_dir(process.join("fd")).ok())
        .flatten()
        .filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok())
        .filter_map(|target| inode(&target))
        .collect()
}

fn serves_ssh(process: &Path) -> bool {
    let name = fs::read_to_string(process.join("comm"));
    name.is_ok_and(|name| SERVERS.contains(&name.trim_end()))
}

/// The number in `socket:[123]`.
fn inode(target: &Path) -> Option<u64> {
    let number = target
        .to_str()?
        .strip_prefix("socket:[")?
        .strip_suffix(']')?;
    number.parse().ok()
}

/// The address that a packet to the peer would carry. Connecting a UDP socket asks the routing
/// table and sends nothing.
fn route(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((peer, SSH_PORT)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_variable_of_ssh() {
        let session = from_variable("fe80::9%lan0 50000 ::ffff:192.0.2.1 2222").expect("a session");
        assert_eq!(session.peer, address("fe80::9").expect("an address"));
        assert_eq!(session.local, IpAddr::from([192, 0, 2, 1]));
        assert_eq!(session.port, 2222);
        assert_eq!(from_variable(""), None);
        assert_eq!(from_variable("192.0.2.1 1 x 2"), None);
    }

    #[test]
    fn addresses_as_the_kernel_lists_them() {
        let v4 = u32::from_ne_bytes([192, 0, 2, 1]);
        let listed = format!("{v4:08X}:0016");
        assert_eq!(socket_address(&listed), Some(([192, 0, 2, 1], 22).into()));
        let half = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
        let mapped = format!("{:016X}{half:08X}{v4:08X}:0016", 0);
        assert_eq!(socket_address(&mapped), Some(([192, 0, 2, 1], 22).into()));
        for text in ["", ":", "zzzzzzzz:0016", "C0:16", "é0000000:0016"] {
            assert_eq!(socket_address(text), None, "{text}");
        }
    }

    #[test]
    fn the_kernel_lists_a_connection_of_a_server() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let _client = std::net::TcpStream::connect(address).expect("a client");
        let (server, _) = listener.accept().expect("a connection");
        let [listening_socket, socket] = [number(&listener), number(&server)];
        let list = lines(Path::new("/proc/net/tcp")).expect("a list");
        let peers = |servers: &[u64], ports: &BTreeSet<u16>| {
            let servers = servers.iter().copied().collect();
            let sessions = from_list(&list, &servers, ports).into_iter();
            let here = sessions.filter(|session| session.port == address.port());
            here.map(|session| session.peer).collect::<Vec<_>>()
        };
        assert_eq!(peers(&[socket], &BTreeSet::new()), [address.ip()], "{list}");
        assert!(peers(&[], &BTreeSet::new()).is_empty(), "{list}");
        // By the port that was seen, when whose socket it is cannot be told any more.
        let ports = listening(&list, &HashSet::from([listening_socket]));
        assert_eq!(ports, [address.port()], "{list}");
        assert_eq!(
            peers(&[], &ports.into_iter().collect()),
            [address.ip()],
            "{list}"
        );
    }

    fn number(socket: &impl std::os::fd::AsRawFd) -> u64 {
        let descriptor = format!("/proc/self/fd/{}", socket.as_raw_fd());
        let target = fs::read_link(descriptor).expect("a socket");
        inode(&target).expect("a number")
    }
}
