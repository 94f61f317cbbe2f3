//! A TLS server that says what a test has it say, also what no server should.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use enforcer::sources::{
    management::{Followed, Limits, Management},
    server::{Server, Token},
};
use enforcer_protocol::{decision::Message, pin::Pin};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::listen::LIMIT;

/// A listener with a certificate.
pub struct OddServer {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pin: Pin,
}

impl OddServer {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::start_for(None).await
    }

    /// The same, and lets in only those who show the certificate with this pin.
    pub async fn start_for(client: Option<Pin>) -> Self {
        let (certificate, key) = made_certificate();
        let pin = Pin::of(&certificate);
        let key = PrivateKeyDer::try_from(key).expect("a key");
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports them");
        let builder = match client {
            None => builder.with_no_client_auth(),
            Some(pin) => builder.with_client_cert_verifier(Arc::new(OnlyClient(pin))),
        };
        let config = builder
            .with_single_cert(vec![certificate], key)
            .expect("a pair that fits");
        Self {
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .expect("a port"),
            acceptor: Arc::new(config).into(),
            pin,
        }
    }

    /// By what it is recognised.
    pub fn pin(&self) -> Pin {
        self.pin
    }

    /// The way to it.
    pub fn server(&self) -> Server {
        let address = self.listener.local_addr().expect("it listens");
        server(address, self.pin, "gateway-token")
    }

    /// The next request.
    pub async fn accept(&self) -> Exchange {
        timeout(LIMIT, async {
            let (socket, _) = self.listener.accept().await.expect("a connection");
            let mut socket = self.acceptor.accept(socket).await.expect("a handshake");
            let request = read_request(&mut socket).await;
            Exchange { socket, request }
        })
        .await
        .expect("a request in time")
    }
}

/// A certificate that nobody vouches for, and its key.
pub fn made_certificate() -> (CertificateDer<'static>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(["odd.test".to_owned()]).expect("a certificate");
    (made.cert.der().clone(), made.signing_key.serialize_der())
}

/// Lets in whoever shows this certificate.
#[derive(Debug)]
struct OnlyClient(Pin);

impl ClientCertVerifier for OnlyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if Pin::of(end_entity) == self.0 {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// The way to a server.
pub fn server(address: SocketAddr, pin: Pin, token: &str) -> Server {
    let url = format!("https://{address}/").parse().expect("a URL");
    Server::new(url, pin, Token::new(token).expect("a token")).expect("a client")
}

/// Who follows this server alone.
pub fn follower(server: Server, silence: Duration) -> Management {
    let limits = Limits {
        silence,
        ..Limits::default()
    };
    Management::new(vec![server], limits, Followed::default())
}

/// A request, and the way to answer it.
pub struct Exchange {
    socket: TlsStream<TcpStream>,
    /// Its head and body.
    pub request: String,
}

impl Exchange {
    /// Reads the next request on the same connection.
    pub async fn hear(&mut self) {
        self.request = read_request(&mut self.socket).await;
    }

    /// Begins an answer that lasts until the connection is closed.
    pub async fn begin(&mut self) {
        self.say("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
            .await;
    }

    /// Answers with this status and body.
    pub async fn answer(&mut self, status: &str, body: &str) {
        let length = body.len();
        self.say(&format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
    }

    /// Says a message of a stream.
    pub async fn tell(&mut self, message: &Message) {
        let line = serde_json::to_string(message).expect("text and numbers");
        self.say(&(line + "\n")).await;
    }

    /// Says this text.
    pub async fn say(&mut self, text: &str) {
        self.socket
            .write_all(text.as_bytes())
            .await
            .expect("a peer that reads");
        self.socket.flush().await.expect("a peer that reads");
    }

    /// Ends the connection in order.
    pub async fn end(mut self) {
        self.socket.shutdown().await.expect("a peer that is there");
    }
}

async fn read_request(socket: &mut TlsStream<TcpStream>) -> String {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = socket.read(&mut chunk).await.expect("a request");
        assert_ne!(count, 0, "half a request");
        request.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lengths = head
            .lines()
            .filter_map(|line| line.strip_prefix("content-length: "));
        let length = lengths
            .next()
            .map_or(0, |length| length.parse().expect("a number"));
        if body.len() >= length {
            return text.into_owned();
        }
    }
}
