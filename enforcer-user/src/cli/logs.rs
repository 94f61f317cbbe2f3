//! Where logs go, and in which form. The fields are described in `docs/logs.md`.

use std::{
    env,
    io::{self, IsTerminal},
    os::fd::AsFd,
};

use clap::ValueEnum;
use nix::sys::stat::fstat;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

/// What the fields of entries begin with in the journal, which has names of its own.
const PREFIX: &str = "ENFORCER";
const IDENTIFIER: &str = "enforcer";

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
    let (layer, failed) = match format {
        LogFormat::Text => (text(), None),
        LogFormat::Json => (json(), None),
        LogFormat::Journal => match journal() {
            Ok(layer) => (layer, None),
            Err(error) => (text(), Some(error)),
        },
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
    if let Some(error) = failed {
        tracing::warn!(%error, "cannot reach the journal; logs go to standard error");
    }
}

/// How entries become lines, or something else.
type Written = Box<dyn Layer<Registry> + Send + Sync>;

fn text() -> Written {
    fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .boxed()
}

fn json() -> Written {
    fmt::layer()
        .with_writer(io::stderr)
        .json()
        .flatten_event(true)
        .boxed()
}

fn journal() -> io::Result<Written> {
    let layer = tracing_journald::layer()?
        .with_field_prefix(Some(PREFIX.to_owned()))
        .with_syslog_identifier(IDENTIFIER.to_owned())
        .with_priority_mappings(PriorityMappings {
            info: Priority::Informational,
            debug: Priority::Debug,
            ..PriorityMappings::new()
        });
    Ok(layer.boxed())
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
