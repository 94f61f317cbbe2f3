//! The other end of a control socket: asking the gateway.

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::{Gid, Group};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

use super::{Question, Refusal};

/// How long an answer may take: longer than the gateway gives itself.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// The longest answer: the most hosts, each with a page of reasons.
const MAX_ANSWER: u64 = 1 << 30;

/// Why the gateway did not answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no socket.
    #[error(
        "no gateway is running here: {0} does not exist; start it with `enforcer run`, or name another socket with `--socket`"
    )]
    Absent(PathBuf),
    /// There is a socket that nobody listens at.
    #[error(
        "no gateway is running here: it left {0} behind and nobody answers there; start it with `enforcer run`"
    )]
    Abandoned(PathBuf),
    /// The socket is for others.
    #[error("you may not talk to the gateway at {socket}: that is for {who}")]
    Denied {
        /// The socket.
        socket: PathBuf,
        /// Who may.
        who: Who,
    },
    /// The connection broke, or could not be made.
    #[error("the connection to the gateway at {socket} failed; its log says more")]
    Broken {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The gateway hung up without an answer.
    #[error("the gateway at {0} hung up without an answer; its log says more")]
    HungUp(PathBuf),
    /// No answer came in time.
    #[error("the gateway at {socket} did not answer within {} s; its log says more", limit.as_secs())]
    TimedOut {
        /// The socket.
        socket: PathBuf,
        /// How long was waited.
        limit: Duration,
    },
    /// The answer makes no sense.
    #[error(
        "the gateway at {socket} answered something that makes no sense; use an `enforcer` of its version"
    )]
    Unreadable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The answer is that there is none.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Who may use a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Root alone.
    Root,
    /// Root and a group.
    Group(String),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root alone; use `sudo`"),
            Self::Group(name) => write!(
                f,
                "root and the group `{name}`; use `sudo`, or join with `usermod -aG {name} USER`"
            ),
        }
    }
}

/// Asks one question on a connection of its own.
pub async fn call<Q: Question>(socket: &Path, question: &Q) -> Result<Q::Answer, CallError> {
    call_within(socket, question, PATIENCE).await
}

/// Asks one question on a connection of its own, and waits for so long.
pub async fn call_within<Q: Question>(
    socket: &Path,
    question: &Q,
    limit: Duration,
) -> Result<Q::Answer, CallError> {
    let answer = timeout(limit, exchange(socket, question))
        .await
        .map_err(|_elapsed| CallError::TimedOut {
            socket: socket.to_owned(),
            limit,
        })??;
    if answer.is_empty() {
        return Err(CallError::HungUp(socket.to_owned()));
    }
    let reply: Result<Q::Answer, Refusal> =
        serde_json::from_slice(&answer).map_err(|source| CallError::Unreadable {
            socket: socket.to_owned(),
            source,
        })?;
    Ok(reply?)
}

async fn exchange<Q: Question>(socket: &Path, question: &Q) -> Result<Vec<u8>, CallError> {
    let mut stream = UnixStream::connect(socket)
        .await
        .map_err(|error| refused(socket, error))?;
    let broken = |source| CallError::Broken {
        socket: socket.to_owned(),
        source,
    };
    let mut line = serde_json::to_vec(question)
        .map_err(io::Error::from)
        .map_err(broken)?;
    line.push(b'\n');
    stream.write_all(&line).await.map_err(broken)?;
    let mut answer = Vec::new();
    let mut reader = BufReader::new(stream).take(MAX_ANSWER);
    reader
        .read_until(b'\n', &mut answer)
        .await
        .map_err(broken)?;
    Ok(answer)
}

fn refused(socket: &Path, source: io::Error) -> CallError {
    let socket = socket.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => CallError::Absent(socket),
        io::ErrorKind::ConnectionRefused => CallError::Abandoned(socket),
        io::ErrorKind::PermissionDenied => CallError::Denied {
            who: who_may(&socket),
            socket,
        },
        _ => CallError::Broken { socket, source },
    }
}

fn who_may(socket: &Path) -> Who {
    let Ok(found) = fs::metadata(socket) else {
        return Who::Root;
    };
    let for_group = found.mode() & 0o020 != 0 && found.gid() != 0;
    match Group::from_gid(Gid::from_raw(found.gid())) {
        Ok(Some(group)) if for_group => Who::Group(group.name),
        _ => Who::Root,
    }
}
