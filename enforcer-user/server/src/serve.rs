//! Starting, running and stopping a server.

use std::{
    fs::File,
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use enforcer_protocol::pin::Pin;
use hyper_util::rt::TokioTimer;
use jiff::Timestamp;
use sqlx::SqlitePool;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::Api,
    config::ServerConfig,
    ledger::{Ledger, LedgerHandle},
    listen::{Admission, Showing, allow_files, listen},
    policy::{Policy, PolicyError},
    state_dir::{StateDir, StateDirError},
    store::{self, StoreError},
    tls::{self, Identity, TlsError},
};

/// How long requests that are under way may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(1);
/// How long a peer may take for the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a connection may be idle, and take for the head of a request. A gateway that asks now and
/// then should not need a handshake each time.
const HEAD_TIME: Duration = Duration::from_mins(1);

/// Why a server does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The state directory cannot be used.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; name another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What stopped it.
        cause: io::Error,
    },
    /// No address to listen on is named.
    #[error("no address to listen on; name one with --listen")]
    NowhereToListen,
    /// The signal that asks for a new policy cannot be waited for.
    #[error("cannot wait for SIGHUP: {0}")]
    Signal(io::Error),
    /// The task that writes has ended, so nothing can be judged any more.
    #[error("the writer of the state database has failed; the log before this says why")]
    LedgerEnded,
    /// A task that listens has ended.
    #[error("listening has failed: {0}")]
    ListenerEnded(io::Error),
}

/// A server that listens and is ready to serve.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    listeners: Vec<TcpListener>,
    identity: Identity,
    policy: Option<PathBuf>,
    ledger: LedgerHandle,
    ledger_task: JoinHandle<()>,
    router: Router,
    readers: SqlitePool,
    stop: CancellationToken,
    dir: StateDir,
    /// Held as long as the server lives, so that no other takes the directory.
    _lock: File,
}

/// Runs a server until `shutdown` completes.
pub async fn run(
    config: ServerConfig,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    Server::start(config).await?.serve(shutdown).await
}

impl Server {
    /// Prepares everything and listens. Whatever is wrong is found here.
    pub async fn start(config: ServerConfig) -> Result<Self, ServeError> {
        let policy = Policy::load(config.policy.as_deref())?;
        let dir = StateDir::make(&config.state_dir)?;
        let lock = dir.lock()?;
        dir.forget_addresses()?;
        allow_files();
        let identity = tls::identity(&dir)?;
        let listeners = listen_on(&config.listen)?;
        let addresses = listeners
            .iter()
            .filter_map(|socket| socket.local_addr().ok())
            .collect();
        let (readers, ledger) = open_store(&dir, &config, policy).await?;
        let (feed, stop) = (ledger.feed(), CancellationToken::new());
        let (ledger, ledger_task) = ledger.spawn();
        let api = Api::new(
            readers.clone(),
            ledger.clone(),
            feed,
            config.heartbeat,
            stop.clone(),
        );
        Ok(Self {
            addresses,
            listeners,
            identity,
            policy: config.policy,
            ledger,
            ledger_task,
            router: api.router(),
            readers,
            stop,
            dir,
            _lock: lock,
        })
    }

    /// The addresses that it listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// By what clients know it.
    pub fn pin(&self) -> Pin {
        self.identity.pin
    }

    /// Serves until `shutdown` completes; SIGHUP has the policy read again.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let mut hangups = signal(SignalKind::hangup()).map_err(ServeError::Signal)?;
        let handle = Handle::new();
        let mut serving = self.spawn_listeners(&handle)?;
        self.announce()?;
        tokio::pin!(shutdown);
        let result = loop {
            tokio::select! {
                () = &mut shutdown => break Ok(()),
                _ = hangups.recv() => reload(self.policy.as_deref(), &self.ledger).await,
                _ = &mut self.ledger_task => break Err(ServeError::LedgerEnded),
                Some(ended) = serving.join_next() => {
                    let error = ended.map_err(io::Error::other).flatten().err();
                    let error = error.unwrap_or_else(|| io::ErrorKind::NotConnected.into());
                    break Err(ServeError::ListenerEnded(error));
                }
            }
        };
        tracing::info!("stopping");
        self.stop.cancel();
        handle.graceful_shutdown(Some(GRACE));
        while serving.join_next().await.is_some() {}
        self.finish().await;
        result
    }

    fn spawn_listeners(
        &mut self,
        handle: &Handle<SocketAddr>,
    ) -> Result<JoinSet<io::Result<()>>, ServeError> {
        let config = RustlsConfig::from_config(Arc::clone(&self.identity.config));
        let acceptor = RustlsAcceptor::new(config)
            .handshake_timeout(HANDSHAKE_TIME)
            .acceptor(Admission::default());
        let acceptor = Showing(acceptor);
        let mut serving = JoinSet::new();
        for listener in self.listeners.drain(..) {
            let mut server = axum_server::from_tcp(listener)
                .map_err(ServeError::ListenerEnded)?
                .acceptor(acceptor.clone())
                .handle(handle.clone());
            let http = server.http_builder();
            http.http1()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME);
            let router = self.router.clone();
            serving.spawn(server.serve(router.into_make_service_with_connect_info::<SocketAddr>()));
        }
        Ok(serving)
    }

    fn announce(&self) -> Result<(), ServeError> {
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        let lines = addresses.join("\n") + "\n";
        self.dir.write(&self.dir.addresses(), 0o644, &lines)?;
        for address in &self.addresses {
            tracing::info!(%address, pin = %self.identity.pin, "ready");
        }
        Ok(())
    }

    /// Lets the writer write what it has taken, and close the database as the last one: then nothing
    /// is left in its log.
    async fn finish(self) {
        let Self {
            router,
            ledger,
            ledger_task,
            readers,
            dir,
            ..
        } = self;
        drop(router);
        let closed = timeout(GRACE / 2, async {
            readers.close().await;
            drop(ledger);
            if !ledger_task.is_finished() {
                let _ = ledger_task.await;
            }
        });
        if closed.await.is_err() {
            tracing::warn!(
                "the database was not closed in time; its log is read at the next start"
            );
        }
        if let Err(error) = dir.forget_addresses() {
            tracing::warn!(%error, "server.addr names addresses that nobody listens on any more");
        }
    }
}

fn listen_on(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, ServeError> {
    if addresses.is_empty() {
        return Err(ServeError::NowhereToListen);
    }
    let listen = |address: &SocketAddr| {
        listen(*address).map_err(|cause| ServeError::Listen {
            address: *address,
            cause,
        })
    };
    addresses.iter().map(listen).collect()
}

async fn open_store(
    dir: &StateDir,
    config: &ServerConfig,
    policy: Policy,
) -> Result<(SqlitePool, Ledger), ServeError> {
    match store::verify(dir).await {
        Err(StoreError::Corrupt { path, found }) if config.set_aside_corrupt => {
            let aside = store::set_aside(dir, Timestamp::now())?;
            let (damaged, aside) = (path.display(), aside.display());
            tracing::warn!(%damaged, found, %aside, "set aside; beginning with an empty database");
        }
        verified => verified?,
    }
    let connection = store::open(dir).await?;
    let readers = store::readers(dir).await?;
    let ledger = Ledger::open(connection, policy, config.report_valid, config.change_log).await?;
    Ok((readers, ledger))
}

/// Adopts the policy as it now stands in its file: whole, or not at all.
async fn reload(file: Option<&Path>, ledger: &LedgerHandle) {
    let Some(file) = file else {
        tracing::warn!(
            "SIGHUP: the built-in policy is in use and never changes; name one with --policy"
        );
        return;
    };
    match Policy::load(Some(file)) {
        Err(error) => tracing::error!(%error, "SIGHUP: the policy stays as it was"),
        Ok(policy) => {
            if let Err(error) = ledger.adopt(policy, file.display().to_string()).await {
                tracing::error!(%error, "SIGHUP: the policy stays as it was");
            }
        }
    }
}
