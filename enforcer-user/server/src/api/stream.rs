//! `GET` the decisions: what a gateway lacks, then each change as it happens.

mod opening;

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use enforcer_protocol::decision::Message;
use futures_util::stream;
use serde::Deserialize;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use super::{Api, auth::Gateway, problem::ApiError};
use crate::store::{changes::Change, tokens, tokens::Token};

/// What is asked for.
#[derive(Debug, Deserialize)]
pub struct Params {
    /// The revision that the gateway holds.
    after: Option<u64>,
}

/// Opens a stream.
pub async fn stream(
    State(api): State<Api>,
    Gateway(token): Gateway,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Ok(Query(Params { after })) = params else {
        return Err(ApiError::WrongRevision);
    };
    // Followed first and read second: what happens in between is seen twice, and skipped once.
    let changes = api.feed.follow();
    let opening = opening::read(&api, after).await?;
    let revision = opening.revision;
    tracing::info!(
        gateway = token.name,
        after,
        revision,
        whole = opening.is_snapshot,
        "stream opened"
    );
    let follower = Follower {
        heartbeat: heartbeat(api.heartbeat),
        lines: opening.lines.into(),
        revision,
        changes,
        token,
        api,
    };
    let lines = stream::unfold(follower, async |mut follower| {
        let line = follower.next().await?;
        Some((Ok::<_, Infallible>(line), follower))
    });
    let mut response = Body::from_stream(lines).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// One open stream. It lives as long as its connection and is dropped with it.
struct Follower {
    /// What the gateway still lacks of the opening.
    lines: VecDeque<Bytes>,
    /// The revision that the gateway has once it has read all lines so far.
    revision: u64,
    changes: Receiver<Change>,
    heartbeat: Interval,
    token: Token,
    api: Api,
}

impl Follower {
    /// The next line; `None` ends the stream, and the gateway comes back with its revision.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(line) = self.lines.pop_front() {
            return Some(line);
        }
        loop {
            tokio::select! {
                biased;
                () = self.api.stop.cancelled() => return None,
                change = self.changes.recv() => match change {
                    Ok(change) if change.revision <= self.revision => {}
                    Ok(change) => {
                        self.revision = change.revision;
                        return Some(change.line);
                    }
                    Err(RecvError::Closed) => return None,
                    Err(RecvError::Lagged(missed)) => {
                        let gateway = &self.token.name;
                        tracing::warn!(gateway, missed, "stream closed: the gateway reads too slowly");
                        return None;
                    }
                },
                _ = self.heartbeat.tick() => return self.beat().await,
            }
        }
    }

    /// A heartbeat, if the token still holds. It renews the lease, so it is not sent blindly.
    async fn beat(&self) -> Option<Bytes> {
        let mut connection = self.api.readers.acquire().await.ok()?;
        match tokens::holding(&mut connection, self.token.id).await {
            Ok(Some(_)) => Some(line(&Message::Heartbeat {
                revision: self.revision,
            })),
            Ok(None) => {
                tracing::warn!(
                    gateway = self.token.name,
                    "stream closed: its token was revoked"
                );
                None
            }
            Err(error) => {
                tracing::error!(%error, gateway = self.token.name, "stream closed");
                None
            }
        }
    }
}

fn heartbeat(period: Duration) -> Interval {
    let mut heartbeat = interval_at(Instant::now() + period, period);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat
}

/// A message as a line.
fn line(message: &Message) -> Bytes {
    let mut line = serde_json::to_vec(message).expect("a message has only text and numbers");
    line.push(b'\n');
    line.into()
}
