//! Asking the gateway, from a process that answers anybody.

use std::{path::PathBuf, time::Duration};

use tokio::{sync::Semaphore, time::timeout};

use crate::control::{
    HttpRequest, HttpResponse,
    client::{self, CallError},
};

/// How long a client waits at most.
const LIMIT: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// So many ask that this question did not get its turn.
    #[error("too many questions at once")]
    Crowded,
    /// The gateway was asked.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The gateway, asked so many questions at once and no more.
#[derive(Debug)]
pub struct Gateway {
    socket: PathBuf,
    turns: Semaphore,
}

impl Gateway {
    /// The gateway behind this socket.
    pub fn new(socket: PathBuf, at_once: usize) -> Self {
        Self {
            socket,
            turns: Semaphore::new(at_once),
        }
    }

    /// Asks, when the turn comes.
    pub async fn ask(&self, request: &HttpRequest) -> Result<HttpResponse, AskError> {
        let turn = timeout(LIMIT, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(AskError::Crowded);
        };
        Ok(client::call_within(&self.socket, request, LIMIT).await?)
    }
}
