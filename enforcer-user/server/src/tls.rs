//! The server's certificate. Clients know it by its pin, so it is made once and never replaced.

use std::{path::PathBuf, sync::Arc};

use enforcer_protocol::pin::Pin;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    any_client::AnyClient,
    state_dir::{StateDir, StateDirError},
};

/// How long a certificate is dated for. The pin outlives it; clients without pins do look.
const YEARS: i16 = 10;

/// A certificate with its key, ready to serve.
#[derive(Clone, Debug)]
pub struct Identity {
    /// By what clients know the server.
    pub pin: Pin,
    /// The TLS side of it.
    pub config: Arc<ServerConfig>,
}

/// Why the server has no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of it cannot be read or written.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// One of the pair is gone.
    #[error(
        "{} is missing but {} is there; restore it, or move the other away to have both made anew \
         (every agent and gateway then needs the new pin)",
        missing.display(), present.display()
    )]
    Half {
        /// The file that is missing.
        missing: PathBuf,
        /// The file that is there.
        present: PathBuf,
    },
    /// A file is not what it should be.
    #[error("{} holds no PEM of the kind expected: {cause}; restore it from a backup", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: rustls::pki_types::pem::Error,
    },
    /// The pair does not fit or cannot be used.
    #[error("{} and its key cannot be used: {cause}; restore both from a backup", path.display())]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// What is wrong.
        cause: rustls::Error,
    },
    /// Making one failed.
    #[error("cannot make a certificate: {0}")]
    Make(rcgen::Error),
}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> Self {
        Self::Make(error)
    }
}

/// The identity in the state directory, made on the first call.
pub fn identity(dir: &StateDir) -> Result<Identity, TlsError> {
    let (certificate, key) = (dir.certificate(), dir.key());
    match (certificate.exists(), key.exists()) {
        (true, true) => {}
        (false, false) => make(dir)?,
        (false, true) => {
            return Err(TlsError::Half {
                missing: certificate,
                present: key,
            });
        }
        (true, false) => {
            return Err(TlsError::Half {
                missing: key,
                present: certificate,
            });
        }
    }
    let identity = load(dir)?;
    dir.write(&dir.pin(), 0o644, &format!("{}\n", identity.pin))?;
    Ok(identity)
}

/// The pin of the certificate in the state directory.
pub fn pin(dir: &StateDir) -> Result<Pin, TlsError> {
    Ok(Pin::of(&certificate(dir)?))
}

fn make(dir: &StateDir) -> Result<(), TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(["enforcer".to_owned(), "localhost".to_owned()])?;
    params
        .distinguished_name
        .push(DnType::CommonName, "enforcer management server");
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let midnight = |date: Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        rcgen::date_time_ymd(date.year().into(), month, day)
    };
    // From yesterday, for clients whose clock is behind.
    params.not_before = midnight(today.saturating_sub(1.day()));
    params.not_after = midnight(today.saturating_add(YEARS.years()));
    let certificate = params.self_signed(&key)?;
    dir.write(&dir.key(), 0o600, &key.serialize_pem())?;
    dir.write(&dir.certificate(), 0o644, &certificate.pem())?;
    Ok(())
}

fn certificate(dir: &StateDir) -> Result<CertificateDer<'static>, TlsError> {
    let path = dir.certificate();
    let text = dir.read(&path)?;
    CertificateDer::from_pem_slice(text.as_bytes()).map_err(|cause| TlsError::Pem { path, cause })
}

fn load(dir: &StateDir) -> Result<Identity, TlsError> {
    let certificate = certificate(dir)?;
    let pin = Pin::of(&certificate);
    let key = PrivateKeyDer::from_pem_slice(dir.read(&dir.key())?.as_bytes()).map_err(|cause| {
        TlsError::Pem {
            path: dir.key(),
            cause,
        }
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_client_cert_verifier(Arc::<AnyClient>::default())
        .with_single_cert(vec![certificate], key)
        .map_err(|cause| TlsError::Unusable {
            path: dir.certificate(),
            cause,
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity {
        pin,
        config: Arc::new(config),
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn state_dir() -> (tempfile::TempDir, StateDir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::make(temp.path()).unwrap();
        (temp, dir)
    }

    #[test]
    fn is_made_once() {
        let (_temp, dir) = state_dir();
        let first = identity(&dir).unwrap().pin;
        assert_eq!(identity(&dir).unwrap().pin, first);
        assert_eq!(pin(&dir).unwrap(), first);
        assert_eq!(dir.read(&dir.pin()).unwrap().trim(), first.to_string());
        let mode = fs::metadata(dir.key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn half_a_pair_is_refused_and_kept() {
        let (_temp, dir) = state_dir();
        identity(&dir).unwrap();
        fs::remove_file(dir.certificate()).unwrap();
        let key = dir.read(&dir.key()).unwrap();
        assert!(matches!(identity(&dir), Err(TlsError::Half { .. })));
        assert_eq!(dir.read(&dir.key()).unwrap(), key);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let ((_one, dir), (_other, other)) = (state_dir(), state_dir());
        identity(&dir).unwrap();
        identity(&other).unwrap();
        fs::copy(other.key(), dir.key()).unwrap();
        assert!(matches!(identity(&dir), Err(TlsError::Unusable { .. })));
    }
}
