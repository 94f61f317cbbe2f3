//! Accepting connections from a network that may wish the gateway ill: few at once, few a client, each
//! for seconds.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::ServiceExt;

/// How long a client may take to say what it wants.
const HEADERS: Duration = Duration::from_secs(5);
/// How long a connection may live, with all that happens on it.
const CONNECTION: Duration = Duration::from_secs(20);
/// The longest head of a request.
const HEAD_BYTES: usize = 16 * 1024;
/// How long to wait when no more connections can be accepted.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Both ends of a connection. IPv4 addresses are IPv4 also on a socket for both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// This machine's address.
    pub local: SocketAddr,
    /// The client's.
    pub client: SocketAddr,
}

impl Ends {
    fn of(stream: &TcpStream) -> Option<Self> {
        let canonical =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        Some(Self {
            local: canonical(stream.local_addr().ok()?),
            client: canonical(stream.peer_addr().ok()?),
        })
    }
}

/// Accepts and serves until this future is dropped.
pub async fn serve(listener: TcpListener, router: Router, admission: Admission) {
    loop {
        let permit = admission.permit().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept an HTTP connection");
                sleep(EXHAUSTED).await;
                continue;
            }
        };
        // A client that has gone already has no address any more.
        let Some(ends) = Ends::of(&stream) else {
            continue;
        };
        let Some(ticket) = admission.ticket(ends.client.ip()) else {
            continue;
        };
        let router = router.clone();
        tokio::spawn(async move {
            let _held = (permit, ticket);
            converse(stream, ends, router).await;
        });
    }
}

async fn converse(stream: TcpStream, ends: Ends, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ends);
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // What clients do wrong on the way is their affair, and logging it would be a way to fill the disk.
    let _ended = timeout(CONNECTION, connection).await;
}

/// Who may come in.
#[derive(Debug)]
pub struct Admission {
    permits: Arc<Semaphore>,
    by_client: Arc<Mutex<HashMap<IpAddr, u32>>>,
    of_client: u32,
}

impl Admission {
    /// At most `all` connections at once, of which one client may have `of_client`.
    pub fn new(all: usize, of_client: u32) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(all)),
            by_client: Arc::default(),
            of_client,
        }
    }

    /// Room for one connection; waits for it.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// The right to be served, unless the client has as many connections as it may.
    fn ticket(&self, client: IpAddr) -> Option<Ticket> {
        let mut by_client = self
            .by_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = by_client.entry(client).or_insert(0);
        if *count >= self.of_client {
            return None;
        }
        *count += 1;
        Some(Ticket {
            client,
            by_client: Arc::clone(&self.by_client),
        })
    }
}

/// One connection that counts; no longer when this is dropped.
#[derive(Debug)]
struct Ticket {
    client: IpAddr,
    by_client: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut by_client = self
            .by_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_client.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_connections_and_gets_them_back() {
        let admission = Admission::new(10, 2);
        let client = IpAddr::from([10, 0, 0, 5]);
        let first = admission.ticket(client);
        let second = admission.ticket(client);
        assert!(first.is_some() && second.is_some());
        assert!(admission.ticket(client).is_none());
        assert!(admission.ticket(IpAddr::from([10, 0, 0, 6])).is_some());
        drop(first);
        assert!(admission.ticket(client).is_some());
        drop(second);
        assert!(admission.by_client.lock().expect("no panic").is_empty());
    }
}
