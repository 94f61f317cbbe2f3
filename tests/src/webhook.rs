//! Somebody who takes the gateway's webhooks.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

use rustls::ServerConfig;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{namespace::Namespace, serving::Serving};

/// The longest request.
const MOST: usize = 64 * 1024;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its headers, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Its body as it came.
    pub text: String,
    /// The same, read.
    pub body: Value,
}

impl Received {
    /// A field of the alert; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

/// A server on a thread of its own, until it is dropped. What it took outlives it.
pub struct Receiver {
    taken: Taken,
    status: Arc<AtomicU16>,
    _serving: Serving,
}

/// What was taken. Clones share it.
#[derive(Clone, Default)]
pub struct Taken(Arc<Mutex<Vec<Received>>>);

impl Taken {
    /// All of it.
    pub fn all(&self) -> Vec<Received> {
        self.lock().clone()
    }

    /// A field of each alert that is about an event of this kind, in the order in which they came.
    pub fn fields(&self, event: &str, field: &str) -> Vec<String> {
        let all = self.all().into_iter();
        let of_kind = all.filter(|one| one.field("event") == event);
        of_kind.map(|one| one.field(field).to_owned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Received>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver {
    /// Starts one at this address in a namespace, with TLS where it is to be. What it takes is put with the rest.
    pub fn start(
        namespace: &Namespace,
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        taken: &Taken,
    ) -> anyhow::Result<Self> {
        let (taken, status) = (taken.clone(), Arc::new(AtomicU16::new(200)));
        let desk = (taken.clone(), status.clone());
        let tls = tls.map(TlsAcceptor::from);
        let serve = async move |listener| serve(listener, tls, desk).await;
        Ok(Self {
            taken,
            status,
            _serving: Serving::start(namespace, address, serve)?,
        })
    }

    /// Answers this from now on. What is not 200 is not taken.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// What it took.
    pub fn taken(&self) -> &Taken {
        &self.taken
    }
}

type Desk = (Taken, Arc<AtomicU16>);

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, desk: Desk) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        let (desk, tls) = (desk.clone(), tls.clone());
        tokio::spawn(async move {
            // One that goes away is no concern of the others.
            let _ = match tls {
                None => take(client, &desk).await,
                Some(tls) => match tls.accept(client).await {
                    Ok(client) => take(client, &desk).await,
                    Err(error) => Err(error),
                },
            };
        });
    }
}

async fn take(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    (taken, status): &Desk,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let received = loop {
        let mut part = [0; 4096];
        let length = client.read(&mut part).await?;
        bytes.extend_from_slice(&part[..length]);
        if let Some(received) = whole(&bytes) {
            break received;
        }
        if length == 0 || bytes.len() > MOST {
            return Ok(());
        }
    };
    let status = status.load(Ordering::Relaxed);
    if status == 200 {
        taken.lock().push(received);
    }
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.shutdown().await
}

/// The request, when all of it is there.
fn whole(bytes: &[u8]) -> Option<Received> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> = headers
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length")?.parse().ok()?;
    (body.len() >= length).then(|| Received {
        headers,
        text: body.to_owned(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}
