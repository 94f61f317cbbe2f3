//! Starts what decides, apart from the operator.

use std::{fs, io, path::Path};

use enforcer_protocol::pin::ClientCertificate;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{GatewayError, embedded::EmbeddedError};
use crate::{
    config::{Config, Remote, RoleNames},
    identity::Zones,
    metrics::Metrics,
    sources::{
        Outlet, Profile, Said, Source,
        file::WatchedFile,
        management::{Followed, Limits, Management},
        queries::{Asker, Queries},
        server::{Credentials, Server, Token},
    },
};

/// Starts every source, with the zones and roles that a list may name; hands out where the management servers are asked.
pub(super) fn start(
    config: &Config,
    (zones, roles): (Vec<String>, watch::Receiver<RoleNames>),
    servers: Vec<Server>,
    profiles: &[Profile],
    said: &mpsc::Sender<Said>,
    metrics: &Metrics,
    tasks: &mut JoinSet<()>,
) -> Queries {
    let outlet = |profile: &Profile| Outlet::new(profile.id, said.clone(), profile.again.clone());
    // The first profile is always that of the management servers.
    let [management, files @ ..] = profiles else {
        unreachable!("no profile of the management servers");
    };
    for (profile, file) in files.iter().zip(&config.sources.files) {
        tasks.spawn(WatchedFile::new(file, zones.clone(), roles.clone()).run(outlet(profile)));
    }
    let followed = Followed::default();
    let zones = Zones::new(zones);
    let asking = outlet(management);
    let took = metrics.queries();
    let (queries, asker) = Asker::new(servers.clone(), followed.clone(), zones, asking, took);
    tasks.spawn(asker.run());
    let limits = Limits::of(config.management.lease, servers.len());
    tasks.spawn(Management::new(servers, limits, followed).run(outlet(management)));
    queries
}

/// A management server elsewhere.
pub(super) fn remote(config: &Config, remote: &Remote<'_>) -> Result<Server, GatewayError> {
    let certificate = remote
        .certificate
        .map(|(certificate, key)| client_certificate(certificate, key))
        .transpose()?;
    let credentials = Credentials {
        token: remote.token_file.map(read_token).transpose()?,
        certificate,
    };
    let place = format!("`{}.pin` in {}", remote.key, config.file.display());
    let server = Server::new(remote.url.clone(), remote.pin, credentials)?;
    Ok(server.pinned_in(&place))
}

fn client_certificate(certificate: &Path, key: &Path) -> Result<ClientCertificate, EmbeddedError> {
    let failed = |path: &Path, error: io::Error| EmbeddedError::Certificate {
        path: path.to_owned(),
        error,
    };
    let pem = fs::read(certificate).map_err(|error| failed(certificate, error))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| failed(certificate, io::Error::other(error)))?;
    if chain.is_empty() {
        let error = io::Error::other("it holds no certificate in PEM");
        return Err(failed(certificate, error));
    }
    let pem = fs::read(key).map_err(|error| failed(key, error))?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| failed(key, io::Error::other(error)))?;
    Ok(ClientCertificate { chain, key })
}

/// The token in a file.
pub(super) fn read_token(path: &Path) -> Result<Token, EmbeddedError> {
    let text = fs::read_to_string(path).map_err(|error| EmbeddedError::Token {
        path: path.to_owned(),
        error,
    })?;
    Token::new(text.trim()).map_err(|_| EmbeddedError::NoToken(path.to_owned()))
}
