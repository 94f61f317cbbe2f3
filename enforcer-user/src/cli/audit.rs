//! `enforcer audit`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    output::{self, Format},
    table::{count, moment, parse_duration, plain},
};
use crate::audit::{self, Entry, Lines, Verified};

/// What can be done with the audit log. The gateway need not run.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Names the first line that was changed, removed, or put elsewhere.
    Verify(Log),
    /// Who did what.
    Show(Show),
}

/// Which log.
#[derive(Debug, Args)]
pub struct Log {
    /// Files of the log, in the order in which they were written; those in the state directory when left out.
    files: Vec<PathBuf>,
    /// The gateway's state directory.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/enforcer")]
    state_dir: PathBuf,
}

/// Which entries are shown, and how.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    log: Log,
    /// Only what this user did (a name, or a number).
    #[arg(long, value_name = "USER")]
    who: Option<String>,
    /// Only where this is in the action, its object or its particulars.
    #[arg(long, value_name = "TEXT")]
    what: Option<String>,
    /// Only from then on: a duration before now (2h, 1d), a date, or a date and time.
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<Timestamp>,
    /// As a table for other programs.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// One object a line, as in the log.
    #[arg(long)]
    json: bool,
}

impl AuditCommand {
    /// Runs the command.
    pub fn run(self, format: Format) -> anyhow::Result<()> {
        match self {
            Self::Verify(log) => {
                let verified = audit::verify(&log.files()?)?;
                output::print(format, &verified, fits)
            }
            Self::Show(show) => {
                let (out, files) = (io::stdout().lock(), show.log.files()?);
                match show.print(&files, format, out) {
                    // Whoever reads has seen enough, as `head` has.
                    Err(error) if is_broken_pipe(&error) => Ok(()),
                    printed => printed,
                }
            }
        }
    }
}

impl Log {
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        if !self.files.is_empty() {
            return Ok(self.files.clone());
        }
        let dir = self.state_dir.display();
        let files = audit::files(&self.state_dir)
            .with_context(|| format!("cannot read {dir}; name the gateway's with --state-dir"))?;
        ensure!(
            !files.is_empty(),
            "there is no audit log in {dir}; name the gateway's state directory with --state-dir"
        );
        Ok(files)
    }
}

impl Show {
    fn print(&self, files: &[PathBuf], format: Format, mut out: impl Write) -> anyhow::Result<()> {
        let is_json = self.json || format == Format::Json;
        let mut no_entries = 0;
        if self.csv {
            write_csv(
                &mut out,
                &[
                    "number", "time", "user", "uid", "action", "object", "details",
                ],
            )?;
        }
        for path in files {
            let failed = || format!("cannot read {}", path.display());
            for line in Lines::open(path).with_context(failed)? {
                let text = line.with_context(failed)?.text;
                let Ok(entry) = serde_json::from_slice::<Entry>(&text) else {
                    no_entries += 1;
                    continue;
                };
                if !self.wants(&entry) {
                    continue;
                }
                if is_json {
                    out.write_all(&text)?;
                    out.write_all(b"\n")?;
                } else if self.csv {
                    write_entry(&mut out, &entry)?;
                } else {
                    writeln!(out, "{}", row(&entry))?;
                }
            }
        }
        ensure!(
            no_entries == 0,
            "{} cannot be understood; `enforcer audit verify` names the first",
            count(no_entries, "line")
        );
        Ok(())
    }

    fn wants(&self, entry: &Entry) -> bool {
        let is_who = |who: &String| *who == entry.who.name || *who == entry.who.uid.to_string();
        let is_what = |what: &String| {
            let what = what.to_lowercase();
            let texts = [&entry.action, &entry.object, &entry.details];
            texts.iter().any(|text| text.to_lowercase().contains(&what))
        };
        self.who.as_ref().is_none_or(is_who)
            && self.what.as_ref().is_none_or(is_what)
            && self.since.is_none_or(|since| entry.time >= since)
    }
}

fn fits(verified: &Verified) -> String {
    let Verified {
        files,
        entries,
        first,
        last,
        hash,
    } = verified;
    if *entries == 0 {
        return "The audit log has no entries.".to_owned();
    }
    let earlier = match first {
        1 => String::new(),
        _ => format!(" What was before number {first} is not in these files."),
    };
    format!(
        "{entries} entries in {} fit, from number {first} to {last}.{earlier}\nThe last one has the hash {hash}; the \
         gateway's log has it too: entries that are missing at the end show only there.",
        count(*files as u64, "file")
    )
}

fn row(entry: &Entry) -> String {
    let Entry {
        seq,
        time,
        who,
        action,
        object,
        details,
    } = entry;
    format!(
        "{seq:>6}  {}  {:<10}  {:<8}  {:<20}  {}",
        moment(*time),
        plain(&who.name),
        plain(action),
        plain(object),
        plain(details)
    )
}

fn write_entry(out: &mut impl Write, entry: &Entry) -> anyhow::Result<()> {
    let (number, time) = (entry.seq.to_string(), entry.time.to_string());
    let uid = entry.who.uid.to_string();
    let Entry {
        action,
        object,
        details,
        ..
    } = entry;
    write_csv(
        out,
        &[
            &number,
            &time,
            &entry.who.name,
            &uid,
            action,
            object,
            details,
        ],
    )
}

fn write_csv(out: &mut impl Write, fields: &[&str]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(fields)?;
    Ok(writer.flush()?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Why a text is no time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no time; write it like 2h, 2026-03-01, or 2026-03-01T08:30")]
struct ParseSinceError(String);

/// A time as an operator writes it, in the time zone of this machine unless it names one.
fn parse_since(text: &str) -> Result<Timestamp, ParseSinceError> {
    if let Ok(timestamp) = text.parse() {
        return Ok(timestamp);
    }
    if let Ok(ago) = parse_duration(text) {
        let then = Timestamp::now().checked_sub(ago);
        return then.map_err(|_| ParseSinceError(text.to_owned()));
    }
    let local = text.parse::<DateTime>().ok();
    let zoned = local.and_then(|local| local.to_zoned(TimeZone::system()).ok());
    zoned
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| ParseSinceError(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use jiff::ToSpan;

    use super::*;
    use crate::{
        audit::{Audit, Deed},
        registry::Operator,
    };

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        show: Show,
    }

    /// What is shown with these options of three entries.
    fn shown(options: &[&str]) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let audit = Audit::open(dir.path());
        let now = Timestamp::now();
        for (uid, name, action, object, details, time) in [
            (
                0,
                "root",
                "mode",
                "gateway",
                "monitor → enforce",
                now - 3.hours(),
            ),
            (
                1000,
                "ann",
                "except",
                "lan 10.0.0.5",
                "denied: \"scans\",\n\u{1b}[2J",
                now,
            ),
            (1001, "bob", "release", "lan 10.0.0.5", "found", now),
        ] {
            let name = name.to_owned();
            let who = &Operator {
                uid,
                name,
                pid: None,
            };
            let deed = Deed {
                time,
                who,
                action,
                object,
                details,
            };
            audit.record(&deed).expect("written down");
        }
        let dir = dir.path().to_str().expect("a path");
        let line = [&["show", "--state-dir", dir], options].concat();
        let Line { show } = Line::try_parse_from(line).expect("a good line");
        let mut out = Vec::new();
        let files = show.log.files().expect("files");
        show.print(&files, Format::Text, &mut out).expect("shown");
        String::from_utf8(out).expect("text")
    }

    fn numbers(options: &[&str]) -> Vec<u64> {
        let text = shown(&[&["--json"], options].concat());
        let entry = |line| serde_json::from_str::<Entry>(line).expect("an entry").seq;
        text.lines().map(entry).collect()
    }

    #[test]
    fn entries_are_chosen_by_who_what_and_when() {
        assert_eq!(numbers(&[]), [1, 2, 3]);
        assert_eq!(numbers(&["--who", "ann"]), [2]);
        assert_eq!(numbers(&["--who", "1001"]), [3]);
        assert_eq!(numbers(&["--what", "10.0.0.5"]), [2, 3]);
        assert_eq!(numbers(&["--what", "Mode"]), [1]);
        assert_eq!(numbers(&["--since", "1h"]), [2, 3]);
        assert_eq!(numbers(&["--since", "1h", "--who", "root"]), [0; 0]);
    }

    #[test]
    fn texts_of_others_stay_within_their_place() {
        let text = shown(&["--who", "ann"]);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        let table = shown(&["--csv", "--who", "ann"]);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(&rows[0][6], "denied: \"scans\",\n\u{1b}[2J");
    }

    #[test]
    fn times_as_people_write_them() {
        for text in [
            "2h",
            "1d 12h",
            "2026-03-01",
            "2026-03-01T08:30",
            "2026-03-01T08:30:00Z",
        ] {
            assert!(parse_since(text).is_ok(), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "-1h"] {
            let error = parse_since(text).expect_err(text).to_string();
            assert!(error.contains("is no time"), "{error}");
        }
    }
}
