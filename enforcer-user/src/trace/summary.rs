//! What a trace comes to.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use super::line::Line;

/// Counts by what was done and why.
#[derive(Debug)]
pub struct Summary {
    what: String,
    notes: Vec<String>,
    counts: BTreeMap<(&'static str, &'static str), u64>,
    sent: Option<(String, u64)>,
    begun: Instant,
    took: Duration,
}

impl Summary {
    /// Begins to count; `what` says by which gateway packets are judged.
    pub(super) fn begin(what: String, notes: Vec<String>) -> Self {
        Self {
            what,
            notes,
            counts: BTreeMap::new(),
            sent: None,
            begun: Instant::now(),
            took: Duration::ZERO,
        }
    }

    /// Counts a packet.
    pub(super) fn count(&mut self, line: &Line<'_>) {
        let action = match line.would {
            Some("drop") => "would drop",
            Some("reply") => "would reply",
            Some("redirect") => "would redirect",
            _ => line.action,
        };
        *self.counts.entry((action, line.reason)).or_default() += 1;
    }

    /// Ends the time; so many packets were written to that file.
    pub(super) fn end(&mut self, sent: Option<(String, u64)>) {
        self.took = self.begun.elapsed();
        self.sent = sent;
    }

    fn packets(&self) -> u64 {
        self.counts.values().sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (packets, took) = (self.packets(), self.took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let rate = packets as f64 / took.max(1e-9);
        writeln!(f)?;
        writeln!(
            f,
            "{packets} packets in {took:.3} s, {rate:.0} a second, {}",
            self.what
        )?;
        for ((action, reason), count) in &self.counts {
            writeln!(f, "  {action:<14}  {reason:<13}  {count:>10}")?;
        }
        if let Some((file, count)) = &self.sent {
            writeln!(f, "{count} packets that would be sent are in {file}")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}
