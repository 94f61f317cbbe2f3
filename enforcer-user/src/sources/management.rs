//! The decision stream of the management server: opened, followed, and opened again.

use std::{io, sync::Arc, time::Duration};

use enforcer_protocol::{decision::Message, posture};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::{Response, Url};
use tokio::{sync::mpsc, time};
use tokio_util::{
    codec::{FramedRead, LinesCodec, LinesCodecError},
    io::StreamReader,
};

use super::{
    SourceEvent,
    backoff::Backoff,
    follower::{Follower, OutOfStep},
    server::{Server, ServerError, root},
};

/// After this silence a stream counts as dead: three heartbeats.
pub const SILENCE: Duration = Duration::from_secs(30);

/// The longest line. A decision repeats less than the largest report that it may come from.
const MAX_LINE: usize = posture::MAX_BYTES;

/// Why the decision stream ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] ServerError),
    /// The connection broke.
    #[error(
        "the decision stream of {url} broke: {}; it is opened again",
        root(source)
    )]
    Broken {
        /// The server.
        url: Url,
        /// What is wrong.
        source: io::Error,
    },
    /// The server ended it.
    #[error("{url} ended the decision stream; it is opened again")]
    Ended {
        /// The server.
        url: Url,
    },
    /// Neither a decision nor a heartbeat for too long.
    #[error(
        "{url} has sent nothing for {} s; the decision stream is opened again", .limit.as_secs_f32()
    )]
    Silent {
        /// The server.
        url: Url,
        /// How long it had.
        limit: Duration,
    },
    /// A line longer than any decision.
    #[error(
        "{url} sent a line of more than {MAX_LINE} bytes; check that it is a management server"
    )]
    TooLong {
        /// The server.
        url: Url,
    },
    /// A line that is no message.
    #[error(
        "{url} sent a line that is no message ({source}); check that it is a management server of \
         this version"
    )]
    Unreadable {
        /// The server.
        url: Url,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The messages contradict one another.
    #[error("the decision stream of {url} cannot be followed: {source}")]
    OutOfStep {
        /// The server.
        url: Url,
        /// What is wrong.
        source: OutOfStep,
    },
}

type Lines = FramedRead<StreamReader<ByteStream, bytes::Bytes>, LinesCodec>;
type ByteStream = futures_util::stream::BoxStream<'static, io::Result<bytes::Bytes>>;

/// The management server as a source of decisions.
#[derive(Debug)]
pub struct Management {
    server: Server,
    silence: Duration,
    events: mpsc::Sender<SourceEvent>,
    /// The revision that the controller holds.
    held: Option<u64>,
    backoff: Backoff,
    /// The loss that was said last, so that it is not said again and again.
    said: Option<String>,
}

impl Management {
    /// A source that says what it learns through `events`, and takes a stream for dead after `silence`.
    pub fn new(server: Server, silence: Duration, events: mpsc::Sender<SourceEvent>) -> Self {
        Self {
            server,
            silence,
            events,
            held: None,
            backoff: Backoff::default(),
            said: None,
        }
    }

    /// Follows the stream until nobody listens any more. Dropping the future ends it too.
    pub async fn run(mut self) {
        let events = self.events.clone();
        tokio::select! {
            () = events.closed() => {}
            () = self.keep_following() => {}
        }
    }

    async fn keep_following(&mut self) {
        loop {
            if let Err(why) = self.follow().await {
                self.lose(why).await;
            }
            time::sleep(self.backoff.wait()).await;
        }
    }

    async fn follow(&mut self) -> Result<(), StreamError> {
        let response = self.server.stream(self.held, self.silence).await?;
        self.tell(SourceEvent::Connected).await;
        let mut lines = lines(response);
        let mut follower = Follower::new(self.held);
        loop {
            let line = self.next_line(&mut lines).await?;
            if line.is_empty() {
                continue;
            }
            let url = || self.server.url().clone();
            let message: Message = serde_json::from_str(&line)
                .map_err(|source| StreamError::Unreadable { url: url(), source })?;
            let event = follower
                .take(message)
                .map_err(|source| StreamError::OutOfStep { url: url(), source })?;
            if let Some(event) = event {
                self.held = follower.held();
                self.in_step();
                self.tell(event).await;
            }
        }
    }

    async fn next_line(&self, lines: &mut Lines) -> Result<String, StreamError> {
        let url = || self.server.url().clone();
        let limit = self.silence;
        match time::timeout(limit, lines.next()).await {
            Err(_) => Err(StreamError::Silent { url: url(), limit }),
            Ok(None) => Err(StreamError::Ended { url: url() }),
            Ok(Some(Ok(line))) => Ok(line),
            Ok(Some(Err(LinesCodecError::MaxLineLengthExceeded))) => {
                Err(StreamError::TooLong { url: url() })
            }
            Ok(Some(Err(LinesCodecError::Io(source)))) => {
                Err(StreamError::Broken { url: url(), source })
            }
        }
    }

    fn in_step(&mut self) {
        self.backoff.reset();
        if self.said.take().is_some() {
            tracing::info!(url = %self.server.url(), revision = self.held, "in step with the management server again");
        }
    }

    async fn lose(&mut self, why: StreamError) {
        let text = why.to_string();
        if self.said.as_ref() == Some(&text) {
            tracing::debug!("{text}");
            return;
        }
        tracing::warn!("{text}");
        self.said = Some(text);
        let why = Arc::new(why);
        self.tell(SourceEvent::Lost { why }).await;
    }

    async fn tell(&self, event: SourceEvent) {
        // An error means that nobody listens any more, which ends `run`.
        let _ = self.events.send(event).await;
    }
}

fn lines(response: Response) -> Lines {
    let bytes = response.bytes_stream().map_err(io::Error::other).boxed();
    FramedRead::new(
        StreamReader::new(bytes),
        LinesCodec::new_with_max_length(MAX_LINE),
    )
}
