//! A TLS server on loopback that answers reports as a test wants.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Request},
    http::HeaderMap,
    response::Response,
    routing::post,
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use enforcer_agent::{client::Client, token::Token};
use enforcer_protocol::{path, pin::Pin};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The token that clients of the test use.
pub const TOKEN: &str = "agent-token";

/// A request that came in.
pub struct Seen {
    pub from: SocketAddr,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The server, until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub pin: Pin,
    pub seen: UnboundedReceiver<Seen>,
    handle: Handle<SocketAddr>,
}

impl Server {
    /// Answers on a free port.
    pub fn start(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        Self::start_at(
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
            &Identity::new(),
            answer,
        )
    }

    /// Answers at this listener under this identity.
    pub fn start_at(
        listener: TcpListener,
        identity: &Identity,
        answer: impl Fn() -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (sender, seen) = unbounded_channel();
        let report = move |ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request| async move {
            let headers = request.headers().clone();
            let body = axum::body::to_bytes(request.into_body(), usize::MAX)
                .await
                .unwrap();
            // The test may be over.
            let _ = sender.send(Seen {
                from,
                headers,
                body,
            });
            answer()
        };
        let app = Router::new().route(path::REPORT, post(report));
        let handle = Handle::new();
        let tls = RustlsConfig::from_config(Arc::new(identity.config.clone()));
        let server = axum_server::from_tcp_rustls(listener, tls)
            .unwrap()
            .handle(handle.clone());
        tokio::spawn(server.serve(app.into_make_service_with_connect_info::<SocketAddr>()));
        Self {
            address,
            pin: identity.pin,
            seen,
            handle,
        }
    }

    /// A client that expects this server.
    pub fn client(&self) -> Client {
        client(self.address, self.pin)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// A certificate and its key.
pub struct Identity {
    pub pin: Pin,
    config: ServerConfig,
}

impl Identity {
    /// A new one.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["server.test".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let pin = Pin::of(&certificate);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self { pin, config }
    }
}

/// A client of the server at this address with this pin.
pub fn client(address: SocketAddr, pin: Pin) -> Client {
    let url = format!("https://{address}").parse().unwrap();
    Client::new(url, pin, &Token::parse(TOKEN).unwrap()).unwrap()
}
