//! One decision stream: opened, and read line by line.

use std::{io, time::Duration};

use enforcer_protocol::{decision::Message, posture};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::{Response, Url};
use tokio::time;
use tokio_util::{
    codec::{FramedRead, LinesCodec, LinesCodecError},
    io::StreamReader,
};

use super::{
    SourceEvent,
    follower::{Follower, OutOfStep},
    server::{Server, ServerError, root},
};

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

/// A stream that is open.
pub(super) struct Stream {
    url: Url,
    lines: Lines,
    follower: Follower,
    silence: Duration,
}

impl Stream {
    /// Opens the stream of a server behind the revision that is held of it, if any. It counts as dead after `silence`.
    /// `number` is that of the server.
    pub(super) async fn open(
        server: &Server,
        number: usize,
        held: Option<u64>,
        silence: Duration,
    ) -> Result<Self, StreamError> {
        let response = server.stream(held, silence).await?;
        Ok(Self {
            url: server.url().clone(),
            lines: lines(response),
            follower: Follower::new(number, held),
            silence,
        })
    }

    /// The revision that is held now.
    pub(super) fn held(&self) -> Option<u64> {
        self.follower.held()
    }

    /// What it says next. When the future is dropped before it is ready, nothing is lost.
    pub(super) async fn next(&mut self) -> Result<SourceEvent, StreamError> {
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                continue;
            }
            let url = || self.url.clone();
            let message: Message = serde_json::from_str(&line)
                .map_err(|source| StreamError::Unreadable { url: url(), source })?;
            let event = self.follower.take(message);
            let event = event.map_err(|source| StreamError::OutOfStep { url: url(), source })?;
            if let Some(event) = event {
                return Ok(event);
            }
        }
    }

    async fn line(&mut self) -> Result<String, StreamError> {
        let limit = self.silence;
        let next = time::timeout(limit, self.lines.next()).await;
        let url = || self.url.clone();
        match next {
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
}

fn lines(response: Response) -> Lines {
    let bytes = response.bytes_stream().map_err(io::Error::other).boxed();
    FramedRead::new(
        StreamReader::new(bytes),
        LinesCodec::new_with_max_length(MAX_LINE),
    )
}
