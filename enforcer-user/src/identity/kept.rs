//! What was found of endpoints whose addresses are translated, kept across restarts: the server tells of a report for as
//! long as it counts, and the connection that it came by is over soon.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

/// How long changes gather before they are written, at least. What is lost within that time the connection tracking
/// table still knows at the next start.
const PAUSE: Duration = Duration::from_secs(1);

/// How many times as long as writing takes, so that large files do not keep the disk busy.
const REST: u32 = 20;

/// What was found of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The endpoint.
    pub endpoint: String,
    /// Where the server saw it.
    pub from: SocketAddr,
    /// When.
    pub at: Option<Timestamp>,
    /// The address that it had here.
    pub address: IpAddr,
    /// The name of the zone in which that was, where something else than its token said so.
    pub zone: Option<String>,
}

/// The file in which that is kept. Losing it costs nothing but that such endpoints are not found again before their
/// next report.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    /// When it may be written again.
    next: Instant,
    writing: Option<JoinHandle<Duration>>,
}

impl Keeper {
    /// That of a gateway which keeps its state here, and what is in it.
    pub fn open(state_dir: &Path) -> (Self, Vec<Kept>) {
        let path = state_dir.join("translated.json");
        let kept = read(&path).unwrap_or_else(|error| {
            let path = path.display();
            tracing::warn!(
                "cannot read {path}: {error}; endpoints whose addresses this machine translates are not found before \
                 their next report"
            );
            Vec::new()
        });
        let (next, writing) = (Instant::now(), None);
        let keeper = Self {
            path,
            next,
            writing,
        };
        (keeper, kept)
    }

    /// Whether it may be written now.
    pub async fn is_due(&mut self) -> bool {
        let now = Instant::now();
        if let Some(writing) = self.writing.take_if(|writing| writing.is_finished()) {
            // An error means that it panicked, or that the runtime ends.
            let took = writing.await.unwrap_or_default();
            self.next = now + PAUSE.max(took * REST);
        }
        self.writing.is_none() && self.next <= now
    }

    /// Writes all of it, on a thread of its own.
    pub fn keep(&mut self, all: Vec<Kept>) {
        let path = self.path.clone();
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let begin = Instant::now();
            write(&path, &all);
            begin.elapsed()
        }));
    }

    /// The same before the gateway ends.
    pub async fn keep_last(mut self, all: Vec<Kept>) {
        if let Some(writing) = self.writing.take() {
            let _ = writing.await;
        }
        write(&self.path, &all);
    }
}

fn read(path: &Path) -> io::Result<Vec<Kept>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whole, or not at all.
fn write(path: &Path, all: &[Kept]) {
    let fresh = path.with_extension("new");
    let written = serde_json::to_vec(all)
        .map_err(io::Error::from)
        .and_then(|text| fs::write(&fresh, text))
        .and_then(|()| fs::rename(&fresh, path));
    if let Err(error) = written {
        let path = path.display();
        tracing::warn!(
            "cannot write {path}: {error}; after a restart, endpoints whose addresses this machine translates are not \
             found before their next report"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept {
            endpoint: "a".to_owned(),
            from: ([203, 0, 113, 1], 1024).into(),
            at: Some(Timestamp::UNIX_EPOCH),
            address: [10, 0, 0, 5].into(),
            zone: Some("lan".to_owned()),
        }
    }

    #[tokio::test]
    async fn what_was_kept_is_there_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut keeper, none) = Keeper::open(folder.path());
        assert_eq!(none, []);
        assert!(keeper.is_due().await);
        keeper.keep(vec![kept()]);
        assert!(
            !keeper.is_due().await,
            "not twice at a time, nor at once again"
        );
        keeper.keep_last(vec![kept(), kept()]).await;
        let (_, again) = Keeper::open(folder.path());
        assert_eq!(again, [kept(), kept()]);
    }

    #[tokio::test]
    async fn a_damaged_file_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("translated.json"), "[{").expect("a file");
        let (keeper, none) = Keeper::open(folder.path());
        assert_eq!(none, []);
        keeper.keep_last(vec![kept()]).await;
        assert_eq!(Keeper::open(folder.path()).1, [kept()]);
    }
}
