//! A list in a file as a source: read again whenever it changes, whole or not at all.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask};
use tokio::{sync::watch, task, time};

use super::{HostsFileError, Listed, Names, read};
use crate::{
    config::{FileSource, RoleNames},
    sources::{Outlet, Source, SourceEvent},
};

/// After a change, this much quiet: editors and copies write in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// A file that never comes to rest is read all the same.
const UNREST: Duration = Duration::from_secs(2);

/// How often it is looked at, whether the kernel told of a change or not: of network file systems, and of what
/// symbolic links lead to, it tells nothing.
const LOOK: Duration = Duration::from_secs(30);

/// How long a file may be missing while another one takes its place.
const MISSING: Duration = Duration::from_secs(1);

/// How long after an implausible list it is read again: a copy that goes on has grown by then.
const AGAIN: Duration = Duration::from_secs(2);

/// Room for many events: the longest takes 16 bytes and a file name of 256.
const BUFFER: usize = 4096;

/// A list of hosts that is watched.
#[derive(Debug)]
pub struct WatchedFile {
    name: String,
    path: PathBuf,
    lease: Option<Duration>,
    zones: Vec<String>,
    /// The roles, which another configuration may change.
    roles: watch::Receiver<RoleNames>,
    /// What the controller holds.
    held: Option<Vec<Listed>>,
    /// What the file was when it was read.
    stamp: Option<Stamp>,
    /// How often there was something new.
    revision: u64,
    /// What was said last of a file that cannot be used.
    said: Option<String>,
    /// Whether the controller believes that the file can be read.
    connected: bool,
}

impl WatchedFile {
    /// The one that the configuration names; it may name these zones and roles.
    pub fn new(source: &FileSource, zones: Vec<String>, roles: watch::Receiver<RoleNames>) -> Self {
        Self {
            name: source.name.clone(),
            path: source.path.clone(),
            lease: source.lease,
            zones,
            roles,
            held: None,
            stamp: None,
            revision: 0,
            said: None,
            connected: false,
        }
    }

    async fn keep_reading(&mut self, outlet: &Outlet) {
        let mut watch = Watch::default();
        let look = self.lease.map_or(LOOK, |lease| LOOK.min(lease / 3));
        loop {
            // Watched before it is read, so that no change falls in between.
            watch.begin(&self.path);
            self.look(outlet).await;
            tokio::select! {
                () = watch.changed() => {
                    watch.rest().await;
                    self.stamp = None;
                }
                () = time::sleep(look) => {}
                // The same names may mean other roles, or more of them.
                Ok(()) = self.roles.changed() => self.stamp = None,
                () = outlet.asked_again() => {
                    time::sleep(AGAIN).await;
                    (self.held, self.stamp) = (None, None);
                }
            }
        }
    }

    async fn look(&mut self, outlet: &Outlet) {
        // Before it is read: what is written meanwhile is seen at the next look.
        let stamp = Stamp::of(&self.path);
        if stamp.is_some() && stamp == self.stamp && self.held.is_some() && self.said.is_none() {
            return outlet.tell(SourceEvent::Alive).await;
        }
        self.stamp = stamp;
        let mut found = self.read().await;
        if self.connected && is_missing(&found) {
            time::sleep(MISSING).await;
            found = self.read().await;
        }
        match found {
            Ok(hosts) => self.take(hosts, outlet).await,
            Err(HostsFileError::Refused { .. }) if self.is_said(&found) => {}
            Err(error @ HostsFileError::Refused { .. }) => {
                let why = error.first_line();
                tracing::error!(source = self.name, "{error}; what it said before holds");
                self.connect(outlet).await;
                outlet.tell(SourceEvent::Refused { why }).await;
            }
            Err(_) if self.is_said(&found) => {}
            Err(error) => {
                let why = error.to_string();
                tracing::error!(source = self.name, "{why}");
                self.connected = false;
                self.held = None;
                outlet.tell(SourceEvent::Lost { why }).await;
            }
        }
    }

    /// Whether the same was said before; from now on it was.
    fn is_said(&mut self, found: &Result<Vec<Listed>, HostsFileError>) -> bool {
        let text = found.as_ref().err().map(ToString::to_string);
        std::mem::replace(&mut self.said, text.clone()) == text
    }

    async fn connect(&mut self, outlet: &Outlet) {
        if !std::mem::replace(&mut self.connected, true) {
            let at = self.path.display().to_string();
            outlet.tell(SourceEvent::Connected { at }).await;
        }
    }

    async fn take(&mut self, hosts: Vec<Listed>, outlet: &Outlet) {
        self.connect(outlet).await;
        if self.said.take().is_some() {
            tracing::info!(source = self.name, file = %self.path.display(), "can be used again");
        }
        if self.held.as_ref() == Some(&hosts) {
            return outlet.tell(SourceEvent::Alive).await;
        }
        self.revision += 1;
        self.held = Some(hosts.clone());
        let revision = self.revision;
        outlet.tell(SourceEvent::List { revision, hosts }).await;
    }

    /// Reads it beside everything else: a large list takes a while.
    async fn read(&self) -> Result<Vec<Listed>, HostsFileError> {
        let (path, zones) = (self.path.clone(), self.zones.clone());
        let roles = self.roles.borrow().clone();
        let reading = task::spawn_blocking(move || {
            let names = Names {
                zones: &zones,
                roles: &roles,
            };
            read(&path, names)
        });
        reading.await.unwrap_or_else(|error| {
            Err(HostsFileError::Read {
                path: self.path.clone(),
                cause: error.into(),
            })
        })
    }
}

impl Source for WatchedFile {
    async fn run(mut self, outlet: Outlet) {
        tokio::select! {
            () = outlet.closed() => {}
            () = self.keep_reading(&outlet) => {}
        }
    }
}

/// By what it is seen without reading it whether a file is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    written: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            inode: found.ino(),
            length: found.len(),
            written: (found.mtime(), found.mtime_nsec()),
        })
    }
}

fn is_missing(found: &Result<Vec<Listed>, HostsFileError>) -> bool {
    matches!(found, Err(HostsFileError::Read { cause, .. }) if cause.kind() == ErrorKind::NotFound)
}

/// The directory that a file is in: files that are replaced by others are seen there alone.
#[derive(Default)]
struct Watch {
    events: Option<EventStream<[u8; BUFFER]>>,
}

impl Watch {
    /// Begins to watch, unless it does. A directory that is not there yet is tried again at the next look.
    fn begin(&mut self, path: &Path) {
        if self.events.is_some() {
            return;
        }
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new("."));
        let begun = Inotify::init().and_then(|inotify| {
            let written = WatchMask::CLOSE_WRITE | WatchMask::MODIFY | WatchMask::ATTRIB;
            let named = WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE;
            let itself = WatchMask::DELETE_SELF | WatchMask::MOVE_SELF;
            inotify.watches().add(directory, written | named | itself)?;
            inotify.into_event_stream([0; BUFFER])
        });
        match begun {
            Ok(events) => self.events = Some(events),
            Err(error) => tracing::debug!(directory = %directory.display(), "not watched: {error}"),
        }
    }

    /// Ready after something has changed in the directory.
    async fn changed(&mut self) {
        let Some(events) = &mut self.events else {
            return std::future::pending().await;
        };
        let event = events.next().await;
        let mask = event.and_then(Result::ok).map(|event| event.mask);
        let ends = inotify::EventMask::DELETE_SELF
            | inotify::EventMask::MOVE_SELF
            | inotify::EventMask::IGNORED;
        if mask.is_none_or(|mask| mask.intersects(ends)) {
            // The directory is gone or another one: it is to be found anew.
            self.events = None;
        }
    }

    /// Ready when nothing changes any more, or not for long.
    async fn rest(&mut self) {
        let quiet = async { while time::timeout(QUIET, self.changed()).await.is_ok() {} };
        // Either way it is read now.
        let _ = time::timeout(UNREST, quiet).await;
    }
}
