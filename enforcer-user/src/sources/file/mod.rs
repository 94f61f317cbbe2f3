//! Lists of hosts in files, as CSV or TOML: each host with its role, and with zone and MAC address where
//! they are known.

mod as_csv;
mod as_toml;
mod entry;
mod fault;
#[cfg(test)]
mod tests;
mod watched;

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use enforcer_common::{host::Host, role::RoleId};

pub use fault::{Fault, Found};
pub use watched::WatchedFile;

use crate::{
    config::{Compiled, Places, Position, RoleNames},
    identity::Mac,
};
use entry::List;

/// The most bytes that are read: as many hosts as both hosts tables have rows, written at length.
const MAX_BYTES: u64 = 256 << 20;

/// A host of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The host.
    pub host: Host,
    /// Its role.
    pub role: RoleId,
    /// The MAC address that it has.
    pub mac: Option<Mac>,
}

/// The names that a list may use.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The zones; the place in this list is the number.
    pub zones: &'a [String],
    /// The roles.
    pub roles: &'a RoleNames,
}

impl<'a> From<&'a Compiled> for Names<'a> {
    fn from(compiled: &'a Compiled) -> Self {
        Self {
            zones: &compiled.zones,
            roles: &compiled.roles,
        }
    }
}

/// Why there is no list of hosts.
#[derive(Debug, thiserror::Error)]
pub enum HostsFileError {
    /// The file cannot be read.
    #[error("cannot read the list of hosts {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// The file is no list.
    #[error("the list of hosts {} has more than {} MiB; check that it is one", path.display(), MAX_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Something is wrong with it.
    #[error("the list of hosts is refused:{}{}", lines(found), if *more { "\n  and perhaps more" } else { "" })]
    Refused {
        /// What is wrong, in the order of the file.
        found: Vec<Found>,
        /// Whether the search ended before the file did.
        more: bool,
    },
}

impl HostsFileError {
    /// The first thing that is wrong, and that there is more.
    pub fn first_line(&self) -> String {
        match self {
            Self::Refused { found, .. } => {
                let first = found.first().map(ToString::to_string).unwrap_or_default();
                match found.len() {
                    0 | 1 => first,
                    all => format!("{first} (and {} more, in the log)", all - 1),
                }
            }
            other => other.to_string(),
        }
    }
}

fn lines(found: &[Found]) -> String {
    let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
    format!("\n  {}", lines.join("\n  "))
}

/// Reads a list of hosts.
pub fn read(path: &Path, names: Names<'_>) -> Result<Vec<Listed>, HostsFileError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    let path_owned = || path.to_owned();
    match read {
        Err(cause) => Err(HostsFileError::Read {
            path: path_owned(),
            cause,
        }),
        Ok(length) if length as u64 > MAX_BYTES => {
            Err(HostsFileError::TooLarge { path: path_owned() })
        }
        Ok(_) => parse(path, &bytes, names),
    }
}

/// Reads the bytes of a list; `path` tells its format, and errors name it.
pub fn parse(path: &Path, bytes: &[u8], names: Names<'_>) -> Result<Vec<Listed>, HostsFileError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut list = List::new(names);
    // Up to where it is text: a fault behind it needs its line and column too.
    let text = match str::from_utf8(bytes) {
        Ok(text) => {
            if is_toml(path, text) {
                as_toml::read(text, &mut list);
            } else {
                as_csv::read(text, &mut list);
            }
            text
        }
        Err(error) => {
            let (text, rest) = bytes.split_at(error.valid_up_to());
            list.fault(text.len(), Fault::encoding(bytes, rest));
            str::from_utf8(text).unwrap_or_default()
        }
    };
    finish(path, text, list)
}

/// What editors on Windows write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The name says it, or else the first line that holds something.
fn is_toml(path: &Path, text: &str) -> bool {
    let ending = path.extension().map(OsStr::to_ascii_lowercase);
    match ending.as_deref().and_then(|ending| ending.to_str()) {
        Some("toml") => return true,
        Some("csv") => return false,
        _ => {}
    }
    let mut lines = text.lines().map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with('[') || line.contains('='))
}

fn finish(path: &Path, text: &str, list: List<'_>) -> Result<Vec<Listed>, HostsFileError> {
    if list.faults.is_empty() {
        return Ok(list.hosts);
    }
    let more = list.is_full();
    let places = Places::lines_of(text);
    let mut faults = list.faults;
    faults.sort_by_key(|(byte, _)| *byte);
    let found = faults.into_iter().map(|(byte, fault)| {
        let (line, column) = places.position(byte);
        let path = path.to_owned();
        let at = Position { path, line, column };
        let fault = fault.with_lines(|byte| places.position(byte).0);
        Found { at, fault }
    });
    Err(HostsFileError::Refused {
        found: found.collect(),
        more,
    })
}
