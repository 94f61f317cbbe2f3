//! Entries of systemd's journal, field by field (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).
//!
//! The layer of `tracing-journald` waits in the middle of an event when the journal does not read, so the encoding stands
//! here and leaves sending to the queue.

use std::fmt::{Debug, Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::queue::Queue;

/// What the fields of entries begin with in the journal, which has names of its own.
const PREFIX: &str = "ENFORCER_";
const IDENTIFIER: &str = "enforcer";

/// Makes entries of events.
pub(super) struct Journal(pub(super) Queue);

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut entry = Entry::default();
        entry.put("PRIORITY", priority(*metadata.level()));
        entry.put("SYSLOG_IDENTIFIER", IDENTIFIER);
        entry.put("TARGET", metadata.target());
        if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
            entry.put("CODE_FILE", file);
            entry.put("CODE_LINE", &line.to_string());
        }
        event.record(&mut entry);
        self.0.say(&entry.0);
    }
}

/// By syslog(3).
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

#[derive(Default)]
struct Entry(Vec<u8>);

impl Entry {
    /// The form with a length, in which a value may have several lines.
    fn put(&mut self, name: &str, value: &str) {
        self.0.extend(name.as_bytes());
        self.0.push(b'\n');
        self.0.extend((value.len() as u64).to_le_bytes());
        self.0.extend(value.as_bytes());
        self.0.push(b'\n');
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing into a text does not fail; what fails to show itself is shown as far as it went.
        let _shown = write!(text, "{value:?}");
        self.record_str(field, &text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            return self.put("MESSAGE", value);
        }
        self.put(&name(field.name()), value);
    }
}

/// Capitals, digits and underscores are allowed in names.
fn name(field: &str) -> String {
    let allowed = field.chars().map(|letter| match letter {
        '.' => '_',
        other => other.to_ascii_uppercase(),
    });
    let allowed = allowed.filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_');
    PREFIX.chars().chain(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_as_the_journal_takes() {
        assert_eq!(name("interface"), "ENFORCER_INTERFACE");
        assert_eq!(name("r#type.of-2"), "ENFORCER_RTYPE_OF2");
    }
}
