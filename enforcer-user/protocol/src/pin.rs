//! Pins: the server is known by the SHA-256 fingerprint of its certificate, not by an authority.

use std::{fmt, str::FromStr, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError,
    SignatureScheme,
    client::{
        WantsClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The SHA-256 fingerprint of a certificate (its DER form), written `sha256:` and 64 hexadecimal
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pin([u8; 32]);

/// What is wrong with a pin's text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no pin; write `sha256:` and 64 hexadecimal digits")]
pub struct PinError(String);

impl Pin {
    /// The pin of this certificate in DER form.
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// A TLS configuration for a client that trusts the pinned certificate alone.
    pub fn client_config(self) -> ClientConfig {
        self.trusting().with_no_client_auth()
    }

    /// The same for a client that shows a certificate of its own.
    pub fn client_config_with(self, own: ClientCertificate) -> Result<ClientConfig, Error> {
        let ClientCertificate { chain, key } = own;
        self.trusting().with_client_auth_cert(chain, key)
    }

    fn trusting(self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let provider = Arc::new(ring::default_provider());
        ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinVerifier {
                pin: self,
                provider,
            }))
    }
}

/// A certificate by which a client is known, with its key.
#[derive(Debug)]
pub struct ClientCertificate {
    /// The certificate, and those that vouch for it.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// Another certificate than the pinned one was shown.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the certificate shown has the pin {shown}")]
pub struct OtherPin {
    /// The pin of that certificate.
    pub shown: Pin,
}

impl OtherPin {
    /// What a handshake ended by, if it was this.
    pub fn in_error(error: &Error) -> Option<&Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
                other.downcast_ref()
            }
            _ => None,
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let error = || PinError(text.to_owned());
        let digits = text.strip_prefix("sha256:").ok_or_else(error)?;
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| error())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| error())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Pin {
    type Error = PinError;

    fn try_from(text: String) -> Result<Self, PinError> {
        text.parse()
    }
}

impl From<Pin> for String {
    fn from(pin: Pin) -> Self {
        pin.to_string()
    }
}

/// Accepts the pinned certificate whatever name or date it carries: the pin is the identity. That the
/// peer holds its key is still proven by the handshake's signature.
#[derive(Debug)]
struct PinVerifier {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Pin::of(end_entity);
        if shown != self.pin {
            let other = OtherError(Arc::new(OtherPin { shown }));
            return Err(Error::InvalidCertificate(CertificateError::Other(other)));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let pin = Pin::of(b"certificate");
        assert_eq!(pin.to_string().parse(), Ok(pin));
    }

    #[test]
    fn refuses_what_is_no_pin() {
        for text in [
            "",
            "sha256:",
            "sha256:zz",
            &format!("sha256:{}", "é".repeat(32)),
        ] {
            assert!(text.parse::<Pin>().is_err(), "{text}");
        }
    }
}
