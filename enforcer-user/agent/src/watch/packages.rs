//! Watches the package database.

use std::{ffi::OsStr, io, path::Path};

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask};

use crate::collect::packages::{PackageSystem, RPM_DATABASES};

/// Room for many events: the longest takes 16 bytes and a file name of 256.
const BUFFER: usize = 4096;

/// Where a package system's database is, and how it is written.
struct Database<'a> {
    directory: &'a Path,
    files: &'static [&'static str],
    written: WatchMask,
}

impl Database<'static> {
    /// dpkg and apk move a new file over the old one. rpm writes into its own, and opens it for writing
    /// even to read it: only what is truly written counts, or each report would call for the next.
    fn of(system: PackageSystem) -> Option<Self> {
        let (directory, files, written): (_, &[_], _) = match system {
            PackageSystem::Dpkg => ("/var/lib/dpkg", &["status"], WatchMask::MOVED_TO),
            PackageSystem::Apk => ("/lib/apk/db", &["installed"], WatchMask::MOVED_TO),
            PackageSystem::Rpm => {
                let directory = RPM_DATABASES
                    .into_iter()
                    .find(|path| Path::new(path).exists())?;
                let files = &[
                    "rpmdb.sqlite",
                    "rpmdb.sqlite-wal",
                    "Packages",
                    "Packages.db",
                ];
                (directory, files, WatchMask::MODIFY)
            }
        };
        Some(Self {
            directory: Path::new(directory),
            files,
            written,
        })
    }
}

/// Sees the package database change.
#[derive(Debug)]
pub struct PackageWatch {
    events: EventStream<[u8; BUFFER]>,
    files: &'static [&'static str],
}

impl PackageWatch {
    /// Begins to watch; `None` on a machine without a package system that is known.
    pub fn begin() -> io::Result<Option<Self>> {
        let database = PackageSystem::here().and_then(Database::of);
        database.map(|database| Self::of(&database)).transpose()
    }

    fn of(database: &Database<'_>) -> io::Result<Self> {
        let inotify = Inotify::init()?;
        inotify
            .watches()
            .add(database.directory, database.written)?;
        let events = inotify.into_event_stream([0; BUFFER])?;
        Ok(Self {
            events,
            files: database.files,
        })
    }

    /// Waits for the database to change.
    pub async fn changed(&mut self) {
        // An error or an overflow means that events were lost: the database may be among them.
        while let Some(Ok(event)) = self.events.next().await {
            let name = event.name.as_deref().and_then(OsStr::to_str);
            if name.is_none_or(|name| self.files.contains(&name)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_new_file_in_the_old_ones_place_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let database = Database {
            directory: directory.path(),
            files: &["status"],
            written: WatchMask::MOVED_TO,
        };
        let mut watch = PackageWatch::of(&database).unwrap();

        fs::write(path("status-new"), "x").unwrap();
        fs::rename(path("status-new"), path("lock")).unwrap();
        fs::write(path("status-new"), "x").unwrap();
        fs::rename(path("status-new"), path("status")).unwrap();
        watch.changed().await;
    }
}
