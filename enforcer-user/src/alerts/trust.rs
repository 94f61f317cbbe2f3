//! Whose certificates are believed.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::failure::Failure;

/// A client that believes what comes from the certificates in this file, or from those of this machine.
pub(super) fn client(ca_file: Option<&Path>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => add(&mut roots, path)?,
        // Those that cannot be read are missed when they are needed.
        None => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the usual versions");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), Failure> {
    let failed = |cause| Failure::Certificates {
        path: path.to_owned(),
        cause,
    };
    let pem = fs::read(path).map_err(|error| failed(error.into()))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| failed(error.into()))?;
        roots
            .add(certificate)
            .map_err(|error| failed(error.into()))?;
    }
    if roots.is_empty() {
        return Err(failed("it has no certificate".into()));
    }
    Ok(())
}
