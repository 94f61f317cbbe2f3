//! The lines of the file: a head, a line for each host, a checksum.

use std::io::{self, BufRead, Read, Write};

use enforcer_common::limits;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Saved, SavedRow, SavedSource};
use crate::hex::hex;

/// The version of the format.
const VERSION: u32 = 1;

/// The most hosts that are read: as many as both tables have room for.
const MAX_ROWS: u64 = 2 * limits::HOSTS as u64;

/// The longest line.
const MAX_LINE: u64 = 64 * 1024;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The operating system does not hand it out.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// It ends too early.
    #[error("it ends too early")]
    Short,
    /// Another version of this program wrote it.
    #[error("it is in format {0}, and this program reads {VERSION}")]
    Version(u32),
    /// A line that does not belong there.
    #[error("line {line}: {cause}")]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// A line without end.
    #[error("line {0} is longer than {MAX_LINE} bytes")]
    Long(u64),
    /// More hosts than there is room for.
    #[error("it says to hold {0} hosts, more than the {MAX_ROWS} that are read")]
    TooMany(u64),
    /// It has changed since it was written.
    #[error("its checksum is wrong")]
    Checksum,
}

#[derive(Serialize, Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    at: Timestamp,
    sources: Vec<SavedSource>,
    rows: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    sha256: String,
}

pub(super) fn write(
    to: &mut impl Write,
    at: Timestamp,
    sources: Vec<SavedSource>,
    rows: impl ExactSizeIterator<Item = SavedRow>,
) -> io::Result<()> {
    let mut digest = Sha256::new();
    let mut line = Vec::new();
    let head = Head {
        version: VERSION,
        at,
        sources,
        rows: rows.len() as u64,
    };
    serde_json::to_writer(&mut line, &head)?;
    for row in rows {
        end(&mut line, to, &mut digest)?;
        serde_json::to_writer(&mut line, &row)?;
    }
    end(&mut line, to, &mut digest)?;
    let foot = Foot {
        sha256: text(digest),
    };
    serde_json::to_writer(&mut *to, &foot)?;
    to.write_all(b"\n")
}

fn end(line: &mut Vec<u8>, to: &mut impl Write, digest: &mut Sha256) -> io::Result<()> {
    line.push(b'\n');
    digest.update(&line);
    to.write_all(line)?;
    line.clear();
    Ok(())
}

fn text(digest: Sha256) -> String {
    hex(&digest.finalize())
}

pub(super) fn read(from: impl BufRead) -> Result<Saved, Damage> {
    let mut lines = Lines {
        from,
        digest: Sha256::new(),
        line: Vec::new(),
        number: 0,
    };
    lines.next()?;
    let Version { version } = lines.parse()?;
    if version != VERSION {
        return Err(Damage::Version(version));
    }
    let head: Head = lines.parse()?;
    if head.rows > MAX_ROWS {
        return Err(Damage::TooMany(head.rows));
    }
    let mut rows = Vec::new();
    for _ in 0..head.rows {
        lines.next()?;
        rows.push(lines.parse::<SavedRow>()?);
    }
    let digest = text(lines.digest.clone());
    lines.next()?;
    let foot: Foot = lines.parse()?;
    if foot.sha256 != digest {
        return Err(Damage::Checksum);
    }
    Ok(Saved {
        at: head.at,
        sources: head.sources,
        rows,
    })
}

/// Lines, and the checksum of all so far.
struct Lines<R> {
    from: R,
    digest: Sha256,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<(), Damage> {
        self.line.clear();
        self.number += 1;
        let mut line = self.from.by_ref().take(MAX_LINE);
        let length = line.read_until(b'\n', &mut self.line)? as u64;
        if self.line.last() != Some(&b'\n') {
            return Err(if length == MAX_LINE {
                Damage::Long(self.number)
            } else {
                Damage::Short
            });
        }
        self.digest.update(&self.line);
        Ok(())
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Damage> {
        serde_json::from_slice(&self.line).map_err(|cause| Damage::Line {
            line: self.number,
            cause,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        let row = |last: u8| SavedRow {
            zone: "lan".to_owned(),
            address: [192, 0, 2, last].into(),
            role: "authorized".to_owned(),
            source: "management".to_owned(),
            mac: (last == 1).then(|| "02:00:00:00:00:01".to_owned()),
            until: (last == 2).then_some(Timestamp::UNIX_EPOCH),
        };
        Saved {
            at: Timestamp::UNIX_EPOCH,
            sources: vec![SavedSource {
                name: "management".to_owned(),
                until: Some(Timestamp::UNIX_EPOCH),
            }],
            rows: (0..4).map(row).collect(),
        }
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let Saved { at, sources, rows } = saved();
        write(&mut bytes, at, sources, rows.into_iter()).expect("memory");
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&*written()).expect("whole"), saved());
    }

    #[test]
    fn no_byte_may_be_missing_or_another() {
        let whole = written();
        for place in 0..whole.len() {
            assert!(read(&whole[..place]).is_err(), "the first {place} bytes");
            let mut other = whole.clone();
            other[place] ^= 1;
            // Letters of either case mean the same in the checksum's digits and nowhere else.
            assert!(read(&*other).is_err(), "byte {place}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_said() {
        let error = |text: &str| read(text.as_bytes()).expect_err("damaged").to_string();
        assert_eq!(error(""), "it ends too early");
        assert_eq!(
            error("{\"version\":2}\n"),
            "it is in format 2, and this program reads 1"
        );
        assert!(error("nonsense\n").starts_with("line 1: "));
        let many =
            "{\"version\":1,\"at\":\"1970-01-01T00:00:00Z\",\"sources\":[],\"rows\":99999999}\n";
        assert!(error(many).contains("more than"));
        let long = "x".repeat(100_000);
        assert!(error(&long).contains("longer than"));
    }
}
