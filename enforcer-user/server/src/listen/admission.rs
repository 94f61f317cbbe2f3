//! Which connections are admitted, and what each may take.

use std::{
    collections::HashMap,
    future::{Ready, ready},
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Extension;
use axum_server::accept::Accept;
use socket2::SockRef;
use tokio::net::TcpStream;
use tower::Layer;

/// Connections that may be open: gateways keep one or two each, agents one for a moment.
pub(super) const CONNECTIONS: usize = 4096;
/// Connections from one address: many endpoints may share one, but none may take all there are. What
/// comes from this machine itself is its operator's, and is bounded by the whole alone.
const FROM_ONE: usize = 256;
/// How long a peer may leave what it is sent unacknowledged, or keep its window shut. After this a
/// gateway that is gone, or has stopped reading, holds nothing here any more.
const UNREAD: Duration = Duration::from_secs(20);

/// Admits a bounded number of connections. Clones share the bound.
#[derive(Clone, Debug, Default)]
pub struct Admission(Arc<Mutex<Open>>);

/// The connections that are open.
#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A connection that was admitted. It rides with the connection's service and ends with it.
#[derive(Debug)]
pub struct Admitted {
    local: SocketAddr,
    _place: Place,
}

impl Admitted {
    /// This server's end of it.
    pub fn local(&self) -> SocketAddr {
        self.local
    }
}

/// One of the open connections.
#[derive(Debug)]
struct Place {
    admission: Admission,
    peer: IpAddr,
}

type Seat = Extension<Arc<Admitted>>;

impl<S> Accept<TcpStream, S> for Admission {
    type Stream = TcpStream;
    type Service = <Seat as Layer<S>>::Service;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(
            self.admit(&stream)
                .map(|admitted| (stream, Extension(Arc::new(admitted)).layer(service))),
        )
    }
}

impl Admission {
    fn admit(&self, stream: &TcpStream) -> io::Result<Admitted> {
        let local = stream.local_addr()?;
        let peer = holder(stream.peer_addr()?.ip());
        let Some(place) = self.take(peer) else {
            tracing::debug!(%peer, "a connection was refused: too many are open");
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        // A change must not wait for more to send.
        stream.set_nodelay(true)?;
        SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD))?;
        Ok(Admitted {
            local: SocketAddr::new(local.ip().to_canonical(), local.port()),
            _place: place,
        })
    }

    fn take(&self, peer: IpAddr) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from_peer = open.by_peer.get(&peer).copied().unwrap_or(0);
        if open.all >= CONNECTIONS || (from_peer >= FROM_ONE && !peer.is_loopback()) {
            return None;
        }
        open.all += 1;
        open.by_peer.insert(peer, from_peer + 1);
        Some(Place {
            admission: self.clone(),
            peer,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .admission
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        let left = open.by_peer.get(&self.peer).map_or(0, |count| count - 1);
        if left == 0 {
            open.by_peer.remove(&self.peer);
        } else {
            open.by_peer.insert(self.peer, left);
        }
    }
}

/// Who holds an address: of IPv6 a whole network is one holder's, who can take any address in it.
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_cannot_take_all() {
        let admission = Admission::default();
        let (greedy, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut places: Vec<_> = (0..FROM_ONE)
            .map(|_| admission.take(greedy).unwrap())
            .collect();
        assert!(admission.take(greedy).is_none());
        assert!(admission.take(other).is_some());
        places.pop();
        assert!(admission.take(greedy).is_some());
        drop(places);
        let open = admission.0.lock().unwrap();
        assert!(open.all == 0 && open.by_peer.is_empty());
    }

    #[test]
    fn all_together_are_bounded() {
        let admission = Admission::default();
        let peers = (0u32..).map(|bits| IpAddr::V4(bits.into()));
        let places: Vec<_> = peers.map_while(|peer| admission.take(peer)).collect();
        assert_eq!(places.len(), CONNECTIONS);
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let of = |text: &str| holder(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert!(of("::1").is_loopback());
    }
}
