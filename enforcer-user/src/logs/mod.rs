//! Where logs go, and in which form. The fields are described in `docs/logs.md`.

mod journal;
mod queue;
mod sink;

use std::{
    env,
    io::{self, IsTerminal},
    os::fd::AsFd,
    sync::OnceLock,
    time::Duration,
};

use clap::ValueEnum;
use nix::sys::stat::fstat;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use journal::Journal;
use queue::Queue;
use sink::Sink;

/// How long the end of a process waits for what was said last.
const LAST_WORDS: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<Queue> = OnceLock::new();

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// To standard error, for people.
    Text,
    /// To standard error, one JSON object a line.
    Json,
    /// To the journal of systemd, field by field.
    Journal,
}

impl LogFormat {
    /// What is meant when nobody says: the journal when systemd has connected standard error to it.
    pub fn usual() -> Self {
        let stream = env::var("JOURNAL_STREAM").unwrap_or_default();
        if is_journal(&stream, io::stderr()) {
            Self::Journal
        } else {
            Self::Text
        }
    }

    /// The same for another process of this program.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Text => "--log=text",
            Self::Json => "--log=json",
            Self::Journal => "--log=journal",
        }
    }
}

/// Whether a file is the one that systemd names in `JOURNAL_STREAM`, by device and inode: a service may have sent
/// its standard error elsewhere since, and what it starts inherits the variable.
fn is_journal(stream: &str, file: impl AsFd) -> bool {
    let named = stream.split_once(':').and_then(|(device, inode)| {
        Some((device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?))
    });
    let found = fstat(file).ok().map(|found| (found.st_dev, found.st_ino));
    named.is_some() && named == found
}

/// Starts logging; `ENFORCER_LOG` selects what (default `info`).
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_env("ENFORCER_LOG").unwrap_or_else(|_| "info".into());
    let (sink, failed) = match format {
        LogFormat::Text | LogFormat::Json => (Sink::StandardError, None),
        LogFormat::Journal => match Sink::journal() {
            Ok(journal) => (journal, None),
            Err(error) => (Sink::StandardError, Some(error)),
        },
    };
    let is_journal = matches!(sink, Sink::Journal(_));
    let queue = QUEUE.get_or_init(|| Queue::new(sink)).clone();
    let layer = match format {
        LogFormat::Json => json(queue),
        LogFormat::Journal if is_journal => Journal(queue).boxed(),
        LogFormat::Text | LogFormat::Journal => text(queue),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
    if let Some(error) = failed {
        tracing::warn!(%error, "cannot reach the journal; logs go to standard error");
    }
}

/// From now on nobody who logs waits until it is written. A thread writes; it begins with `begin`, which gives up what it
/// does not need.
///
/// # Errors
///
/// When there is no thread to be had.
pub fn detach(begin: impl FnOnce() + Send + 'static) -> io::Result<()> {
    QUEUE.get().map_or(Ok(()), |queue| queue.detach(begin))
}

/// Writes what was said last, unless nobody reads it.
pub fn finish() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(LAST_WORDS);
    }
}

/// How many entries were lost because nobody read them in time.
pub fn lost() -> u64 {
    QUEUE.get().map_or(0, Queue::lost)
}

/// How entries become lines, or something else.
type Written = Box<dyn Layer<Registry> + Send + Sync>;

fn text(queue: Queue) -> Written {
    fmt::layer()
        .with_writer(queue)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .boxed()
}

fn json(queue: Queue) -> Written {
    fmt::layer()
        .with_writer(queue)
        .json()
        .flatten_event(true)
        .boxed()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::unix::fs::MetadataExt};

    use super::*;

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = File::create(directory.path().join("a")).expect("a file");
        let other = File::create(directory.path().join("b")).expect("a file");
        let found = file.metadata().expect("a file");
        let stream = format!("{}:{}", found.dev(), found.ino());
        assert!(is_journal(&stream, &file));
        assert!(!is_journal(&stream, &other));
        for stream in ["", ":", "x:y", &format!("{}", found.ino())] {
            assert!(!is_journal(stream, &file), "{stream}");
        }
    }
}
