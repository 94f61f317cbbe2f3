//! The management servers: one is followed, the others stand by.
//!
//! The first one is preferred. When the server that is followed has been lost for a while, the next one takes its
//! place; when one that is preferred to it is well again, that one does. Revisions of different servers cannot be
//! compared, so that each change begins with a whole snapshot, and takes place when that is complete.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{self, Instant};

use super::{
    Outlet, Source, SourceEvent,
    backoff::Backoff,
    server::Server,
    stream::{Stream, StreamError},
};

/// After this silence a stream counts as dead: three heartbeats.
pub const SILENCE: Duration = Duration::from_secs(30);

/// How long a server that was followed is tried again before another one takes its place: a restart takes less.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a server that is preferred is tried while another one is followed.
const RETURN: Duration = Duration::from_secs(10);

/// How long after an implausible snapshot another one is asked for: long enough for a server that has only just
/// started to have read what it knows.
const AGAIN: Duration = Duration::from_secs(1);

/// Which of the servers is followed: questions go to it too.
#[derive(Clone, Debug, Default)]
pub struct Followed(Arc<AtomicUsize>);

impl Followed {
    /// Its place in the list.
    pub(super) fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, number: usize) {
        self.0.store(number, Ordering::Relaxed);
    }
}

/// How long streams may be silent, and lost servers are tried again, where decisions hold for `lease`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After this silence a stream counts as dead.
    pub silence: Duration,
    /// How long a lost server is tried before another one takes its place.
    pub patience: Duration,
    /// How often a preferred server is tried while another one is followed.
    pub retry: Duration,
}

impl Limits {
    /// With several servers everything has to be over within the lease: the silence, the patience and the snapshot.
    pub fn of(lease: Duration, servers: usize) -> Self {
        if servers < 2 {
            return Self::default();
        }
        Self {
            silence: SILENCE.min(lease / 3),
            patience: PATIENCE.min(lease / 4),
            retry: RETURN.min(lease / 2),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence: SILENCE,
            patience: PATIENCE,
            retry: RETURN,
        }
    }
}

/// The management servers as a source of decisions.
#[derive(Debug)]
pub struct Management {
    servers: Vec<Server>,
    limits: Limits,
    followed: Followed,
    /// The revision that the controller holds, of the server that is followed.
    held: Option<u64>,
    /// When that one was last heard.
    well: Instant,
    backoff: Backoff,
    /// The loss of each that was said last, so that it is not said again and again.
    said: Vec<Option<String>>,
}

/// Why a stream is no longer followed.
enum End {
    /// It was lost.
    Lost(StreamError),
    /// Everything is to be said again.
    Again,
    /// A server that is preferred is well again, and has said everything.
    Better(Box<Whole>),
}

/// A stream with the snapshot that it began with.
struct Whole {
    number: usize,
    stream: Stream,
    parts: Vec<SourceEvent>,
    snapshot: SourceEvent,
}

impl Management {
    /// These servers, the preferred one first, of which `followed` tells the one that is followed.
    pub fn new(servers: Vec<Server>, limits: Limits, followed: Followed) -> Self {
        Self {
            said: vec![None; servers.len()],
            servers,
            limits,
            followed,
            held: None,
            well: Instant::now(),
            backoff: Backoff::default(),
        }
    }

    async fn keep_following(&mut self, outlet: &Outlet) {
        let mut tried = self.followed.number();
        loop {
            let mut end = self.try_one(tried, outlet).await;
            while let End::Better(whole) = end {
                tried = whole.number;
                end = self.go_over(*whole, outlet).await;
            }
            if let End::Lost(why) = end {
                self.lose(tried, why, outlet).await;
                if !self.may_come_back(tried) {
                    tried = (tried + 1) % self.servers.len();
                }
                time::sleep(self.backoff.wait()).await;
            } else {
                self.held = None;
                time::sleep(AGAIN).await;
            }
        }
    }

    /// Whether a server that was lost is worth another attempt before the others are.
    fn may_come_back(&self, number: usize) -> bool {
        let is_followed = self.followed.number() == number && self.held.is_some();
        is_followed && self.well.elapsed() < self.limits.patience
    }

    /// Opens a server's stream and follows it.
    async fn try_one(&mut self, number: usize, outlet: &Outlet) -> End {
        let is_followed = self.followed.number() == number;
        let held = self.held.filter(|_| is_followed);
        let server = &self.servers[number];
        let stream = match Stream::open(server, number, held, self.limits.silence).await {
            Ok(stream) => stream,
            Err(why) => return End::Lost(why),
        };
        let at = server.url().to_string();
        outlet.tell(SourceEvent::Connected { at }).await;
        self.follow(number, stream, outlet).await
    }

    /// Follows a server that is well again instead of the one that stood in for it.
    async fn go_over(&mut self, whole: Whole, outlet: &Outlet) -> End {
        let Whole {
            number,
            stream,
            parts,
            snapshot,
        } = whole;
        let at = self.servers[number].url().to_string();
        outlet.tell(SourceEvent::Connected { at }).await;
        self.held = stream.held();
        for part in parts {
            outlet.tell_part(part).await;
        }
        self.take(number, snapshot, outlet).await;
        self.follow(number, stream, outlet).await
    }

    async fn follow(&mut self, number: usize, mut stream: Stream, outlet: &Outlet) -> End {
        let preferred = self.servers[..number].to_vec();
        let mut better = pin!(better(preferred, self.limits));
        loop {
            tokio::select! {
                event = stream.next() => match event {
                    Ok(part @ SourceEvent::Part { .. }) => outlet.tell_part(part).await,
                    Ok(event) => {
                        self.held = stream.held();
                        self.take(number, event, outlet).await;
                    }
                    Err(why) => return End::Lost(why),
                },
                whole = &mut better => return End::Better(Box::new(whole)),
                () = outlet.asked_again() => return End::Again,
            }
        }
    }

    async fn take(&mut self, number: usize, event: SourceEvent, outlet: &Outlet) {
        self.in_step(number);
        outlet.tell(event).await;
    }

    fn in_step(&mut self, number: usize) {
        self.backoff.reset();
        self.well = Instant::now();
        let url = self.servers[number].url();
        let before = self.followed.number();
        if before != number {
            self.followed.set(number);
            let former = self.servers[before].url();
            if number < before {
                tracing::info!(%url, %former, "a preferred management server is well again and is followed");
            } else {
                tracing::warn!(%url, %former, "a management server that stood by is followed instead");
            }
        }
        if self.said[number].take().is_some() {
            tracing::info!(%url, revision = self.held, "in step with the management server again");
        }
    }

    async fn lose(&mut self, number: usize, why: StreamError, outlet: &Outlet) {
        let why = why.to_string();
        let said = &mut self.said[number];
        if said.as_ref() == Some(&why) {
            tracing::debug!("{why}");
            return;
        }
        tracing::warn!("{why}");
        *said = Some(why.clone());
        outlet.tell(SourceEvent::Lost { why }).await;
    }
}

impl Source for Management {
    async fn run(mut self, outlet: Outlet) {
        tokio::select! {
            () = outlet.closed() => {}
            () = self.keep_following(&outlet) => {}
        }
    }
}

/// Ready when one of these servers has said everything that it decided. Never for none.
async fn better(servers: Vec<Server>, limits: Limits) -> Whole {
    if servers.is_empty() {
        return std::future::pending().await;
    }
    loop {
        time::sleep(limits.retry).await;
        for (number, server) in servers.iter().enumerate() {
            match whole(server, number, limits.silence).await {
                Ok(whole) => return whole,
                Err(why) => tracing::debug!("not well again: {why}"),
            }
        }
    }
}

async fn whole(server: &Server, number: usize, silence: Duration) -> Result<Whole, StreamError> {
    let mut stream = Stream::open(server, number, None, silence).await?;
    let mut parts = Vec::new();
    loop {
        match stream.next().await? {
            part @ SourceEvent::Part { .. } => parts.push(part),
            snapshot @ SourceEvent::Snapshot { .. } => {
                return Ok(Whole {
                    number,
                    stream,
                    parts,
                    snapshot,
                });
            }
            _ => {}
        }
    }
}
