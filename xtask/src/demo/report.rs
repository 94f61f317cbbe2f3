//! Telling how each step went.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

/// What a step saw, when everything was as expected.
pub(super) struct Observed {
    /// In words.
    pub(super) text: String,
    /// The time that the step is about; `None` where it is only how long the step took.
    pub(super) time: Option<Duration>,
}

impl Observed {
    /// In words alone.
    pub(super) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, time: None }
    }

    /// In words, and a time that was measured.
    pub(super) fn timed(text: impl Into<String>, time: Duration) -> Self {
        let text = text.into();
        Self {
            text,
            time: Some(time),
        }
    }
}

/// A step that is over.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    pub(super) step: usize,
    pub(super) expected: &'a str,
    pub(super) observed: &'a str,
    pub(super) ok: bool,
    pub(super) ms: f64,
}

/// A time in milliseconds, to a tenth.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Line<'_> {
    /// Prints it, as JSON or for people.
    pub(super) fn print(&self, json: bool) -> Result<()> {
        let mut out = io::stdout().lock();
        if json {
            writeln!(out, "{}", serde_json::to_string(self)?)?;
        } else {
            let Self {
                step,
                expected,
                observed,
                ok,
                ms,
            } = self;
            let word = if *ok { "ok    " } else { "FAILED" };
            writeln!(
                out,
                "{step}  {word} {ms:>7.1} ms  {expected}\n                      {observed}"
            )?;
        }
        Ok(out.flush()?)
    }
}
