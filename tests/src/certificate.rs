//! A certificate of a server under test.

use std::{fs, net::IpAddr, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use crate::site::Site;

/// A certificate for an address, which nobody else has vouched for.
pub struct Certificate {
    made: rcgen::CertifiedKey<rcgen::KeyPair>,
    /// The certificate as PEM.
    pub file: PathBuf,
    /// Its key as PEM.
    pub key_file: PathBuf,
}

impl Certificate {
    /// Makes one, with its files in the place of the gateway.
    pub fn make(site: &Site, name: &str, address: IpAddr) -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed([address.to_string()])?;
        let (file, key_file) = (
            site.path(format!("{name}.crt")),
            site.path(format!("{name}.key")),
        );
        fs::write(&file, made.cert.pem())?;
        fs::write(&key_file, made.signing_key.serialize_pem())?;
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600))?;
        Ok(Self {
            made,
            file,
            key_file,
        })
    }

    /// What a server needs that shows it.
    pub fn server(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let certificate: CertificateDer<'static> = self.made.cert.der().clone();
        let key = PrivateKeyDer::try_from(self.made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key.map_err(anyhow::Error::msg)?)?;
        Ok(Arc::new(config))
    }
}
