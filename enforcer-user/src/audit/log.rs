//! The file that is written.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    AuditError, Deed,
    chain::{Chain, Fault},
    entry::Link,
    files::{self, FILE},
    lines::Lines,
};
use crate::registry::Operator;

/// How much of a line that was cut is kept in the entry that notes it.
const KEPT: usize = 4096;

/// The file at hand. This process is its only writer.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// Where the next line begins.
    end: u64,
    last: Link,
}

/// What a file holds.
#[derive(Default)]
struct Found {
    chain: Chain,
    /// Where its whole lines end.
    end: u64,
    /// What stands behind them.
    rest: Vec<u8>,
}

impl Log {
    /// Opens the file in this directory, or begins it. The chain goes on after the last line, or after `known`, what
    /// this process has written last, if that is later: what was taken away since is then missing in the chain.
    pub(super) fn open(dir: &Path, known: Option<&Link>) -> Result<Self, AuditError> {
        let path = dir.join(FILE);
        let opened = begin(&path).and_then(|file| Ok((file, files::full_files(dir)?)));
        let (file, full) = opened.map_err(failed(&path))?;
        let Found { chain, end, rest } = scan(&path, known)?;
        let mut last = chain.last().cloned();
        if let (None, Some(full)) = (&last, full.last()) {
            last = scan(full, known)?.chain.last().cloned();
        }
        let known = known.cloned().into_iter();
        let last = known.chain(last).max_by_key(|link| link.seq);
        let last = last.unwrap_or_else(Link::start);
        let mut log = Self {
            path,
            file,
            end,
            last,
        };
        if !rest.is_empty() {
            log.note(&rest)?;
        }
        Ok(log)
    }

    /// What was written last.
    pub(super) fn last(&self) -> &Link {
        &self.last
    }

    /// Whether the file is still there, and as long as it was left.
    pub(super) fn is_as_left(&self) -> bool {
        let (Ok(named), Ok(held)) = (fs::metadata(&self.path), self.file.metadata()) else {
            return false;
        };
        (named.dev(), named.ino(), named.len()) == (held.dev(), held.ino(), self.end)
    }

    /// Adds a line, and begins another file before it when this one would grow larger than this.
    pub(super) fn append(&mut self, deed: &Deed, largest: u64) -> Result<Link, AuditError> {
        self.try_append(deed, largest).map_err(failed(&self.path))?;
        Ok(self.last.clone())
    }

    fn try_append(&mut self, deed: &Deed, largest: u64) -> io::Result<()> {
        let (line, next) = self.last.line(deed)?;
        let is_full = self.end + line.len() as u64 > largest;
        if is_full && self.end > 0 {
            self.rotate()?;
        }
        self.write(line.as_bytes())?;
        self.last = next;
        Ok(())
    }

    /// What cannot be written whole is taken back, so that no half of it stays.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(line, self.end);
        let end = self.end + line.len() as u64;
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            // Where not even this works, the rest is noted when the file is opened anew.
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        self.end = end;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let full = self.path.with_file_name(files::full(self.last.seq));
        if full.exists() {
            let error = format!("{} is there already", full.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, error));
        }
        fs::rename(&self.path, full)?;
        self.file = begin(&self.path)?;
        self.end = 0;
        Ok(())
    }

    /// A line was cut, when this process or the machine stopped while it was written: nobody was told that what it
    /// says is done. An entry takes its place and says what was left of it.
    fn note(&mut self, rest: &[u8]) -> Result<(), AuditError> {
        let shown = String::from_utf8_lossy(&rest[..rest.len().min(KEPT)]);
        let details = format!(
            "{} bytes of an entry that was not finished: {shown}",
            rest.len()
        );
        tracing::warn!(
            file = %self.path.display(), bytes = rest.len(),
            "the last line of the audit log was cut; it goes on with a note of it"
        );
        let deed = Deed {
            time: Timestamp::now(),
            who: &Operator {
                uid: nix::unistd::getuid().as_raw(),
                name: "enforcer".to_owned(),
                pid: i32::try_from(std::process::id()).ok(),
            },
            action: "cut",
            object: "audit",
            details: &details,
        };
        self.append(&deed, u64::MAX)?;
        // Where the note is shorter than what it replaces.
        let shortened = self.file.set_len(self.end);
        shortened
            .and_then(|()| self.file.sync_data())
            .map_err(failed(&self.path))
    }
}

/// The file with this name, made when it is not there, and its name on the disk.
fn begin(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true).mode(0o640);
    let file = options.open(path)?;
    // The name is in the directory, which is another file.
    path.parent()
        .map_or(Ok(()), |dir| File::open(dir)?.sync_all())?;
    Ok(file)
}

/// Reads a file. What does not fit in its middle is said; after a last line that is none nothing can follow, unless
/// it is known what was written last.
fn scan(path: &Path, known: Option<&Link>) -> Result<Found, AuditError> {
    let mut found = Found::default();
    let mut fault: Option<(u64, Fault, bool)> = None;
    for line in Lines::open(path).map_err(failed(path))? {
        let line = line.map_err(failed(path))?;
        if !line.is_whole && !line.is_too_long {
            found.rest = line.text;
            break;
        }
        let taken = found.chain.take(&line);
        found.end += line.text.len() as u64 + u64::from(line.is_whole);
        let is_sound = !matches!(taken, Err(Fault::NoEntry | Fault::Changed | Fault::TooLong));
        match (taken, &mut fault) {
            (Err(new), None) => fault = Some((line.number, new, is_sound)),
            (_, Some((_, _, last_is_sound))) => *last_is_sound = is_sound,
            (Ok(()), None) => {}
        }
    }
    match fault {
        Some((line, fault, false)) if known.is_none() => {
            let path = path.to_owned();
            Err(AuditError::Damaged { path, line, fault })
        }
        Some((line, fault, _)) => {
            tracing::error!(
                file = %path.display(), line,
                "the audit log does not stand: {fault}; keep its files for whoever looks into it"
            );
            Ok(found)
        }
        None => Ok(found),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> AuditError {
    let path = path.to_owned();
    move |cause| AuditError::File {
        path: path.clone(),
        cause,
    }
}
