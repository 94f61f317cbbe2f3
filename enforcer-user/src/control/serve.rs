//! The gateway's end of a control socket: from lines to calls to the controller, and back.

use std::{io, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedReadHalf},
    sync::{Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Question, Refusal};

/// Connections served at once; the others wait to be accepted.
const MAX_CONNECTIONS: usize = 64;
/// The longest question: texts of an operator, nothing more.
pub const MAX_LINE: usize = 64 * 1024;
/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(30);
/// How long the controller may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the other side may take to read a whole answer.
const READ: Duration = Duration::from_mins(1);
/// How long to wait when no more connections can be accepted.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// A question on its way to the controller.
#[derive(Debug)]
pub struct Call<Q: Question> {
    /// The question.
    pub question: Q,
    /// Who asks.
    pub peer: Peer,
    /// What the socket is for that the question came over.
    pub rights: Rights,
    /// Where the answer goes. Nobody may be waiting any more, which is no error.
    pub answer: oneshot::Sender<Result<Q::Answer, Refusal>>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Questions and orders.
    All,
    /// Questions that change nothing.
    Read,
}

/// The process at the other end, as the kernel knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub user: u32,
    /// Its group.
    pub group: u32,
    /// Its number.
    pub process: Option<i32>,
}

/// Serves the socket until the controller drops its end of `calls` or this future is dropped; either
/// ends every connection.
pub async fn serve<Q: Question>(listener: UnixListener, calls: mpsc::Sender<Call<Q>>) {
    serve_for(listener, Rights::All, calls).await;
}

/// The same for a socket that is for this.
pub async fn serve_for<Q: Question>(
    listener: UnixListener,
    rights: Rights,
    calls: mpsc::Sender<Call<Q>>,
) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to the control socket");
                    sleep(EXHAUSTED).await;
                    continue;
                }
            },
            () = calls.closed() => return,
        };
        let calls = calls.clone();
        connections.spawn(async move {
            let _permit = permit;
            if let Err(error) = converse(stream, rights, &calls).await {
                tracing::debug!(%error, "a control connection ended early");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse<Q: Question>(
    stream: UnixStream,
    rights: Rights,
    calls: &mpsc::Sender<Call<Q>>,
) -> io::Result<()> {
    let credentials = stream.peer_cred()?;
    let peer = Peer {
        user: credentials.uid(),
        group: credentials.gid(),
        process: credentials.pid(),
    };
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(line) = timeout(IDLE, next_line(&mut reader)).await?? {
        let oversize = line.len() > MAX_LINE;
        let reply = if oversize {
            Err(Refusal::oversize(MAX_LINE))
        } else {
            put(&line, (peer, rights), calls).await
        };
        timeout(READ, writer.write_all(&line_of(&reply)?)).await??;
        if oversize {
            break;
        }
    }
    Ok(())
}

/// The next line, or as much of one as shows that it is too long; `None` at the end.
async fn next_line(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let bound = u64::try_from(MAX_LINE)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    reader.take(bound).read_until(b'\n', &mut line).await?;
    Ok((!line.is_empty()).then_some(line))
}

/// Puts a question to the controller.
async fn put<Q: Question>(
    line: &[u8],
    (peer, rights): (Peer, Rights),
    calls: &mpsc::Sender<Call<Q>>,
) -> Result<Q::Answer, Refusal> {
    let question = serde_json::from_slice(line).map_err(|error| Refusal::unreadable(&error))?;
    let (answer, answered) = oneshot::channel();
    let call = Call {
        question,
        peer,
        rights,
        answer,
    };
    calls.try_send(call).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => Refusal::busy(),
        mpsc::error::TrySendError::Closed(_) => Refusal::stopping(),
    })?;
    match timeout(ANSWER, answered).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_dropped)) => Err(Refusal::stopping()),
        Err(_elapsed) => Err(Refusal::unanswered(ANSWER)),
    }
}

fn line_of<A: Serialize>(reply: &A) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    Ok(line)
}
