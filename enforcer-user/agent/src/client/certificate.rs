//! Finds out which certificate a server shows that was refused, so that the operator can be told.

use std::{
    error::Error as StdError,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use enforcer_protocol::pin::Pin;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::server_url::ServerUrl;

/// Whether it was the server's certificate being refused that caused this error.
pub fn was_refused(error: &(dyn StdError + 'static)) -> bool {
    // An I/O error names as its source not what it wraps, but the source of that.
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.get_ref().is_some_and(|wrapped| was_refused(wrapped));
    }
    match error.downcast_ref::<Error>() {
        Some(error) => matches!(error, Error::InvalidCertificate(_)),
        None => error.source().is_some_and(was_refused),
    }
}

/// The pin of the certificate that the server shows. The handshake is broken off once it is seen:
/// nothing is sent to a server that is not the pinned one.
pub async fn shown_by(server: &ServerUrl, limit: Duration) -> Option<Pin> {
    let (host, port) = server.authority();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let witness = Arc::new(Witness::default());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone())
        .with_no_client_auth();
    let handshake = async {
        let stream = TcpStream::connect((host, port)).await.ok()?;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .ok()
    };
    // Fails in any case: the witness accepts nothing.
    let _ = timeout(limit, handshake).await;
    *witness.seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sees a certificate and refuses it.
#[derive(Debug, Default)]
struct Witness {
    seen: Mutex<Option<Pin>>,
}

const REFUSED: Error = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pin = Pin::of(end_entity);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(pin);
        Err(REFUSED)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(REFUSED)
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(REFUSED)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
