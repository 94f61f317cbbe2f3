//! Tables and texts on a terminal.

use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use enforcer_protocol::judgement::Level;
use jiff::{Timestamp, Unit, tz::TimeZone};

/// A table without lines, in the way of `ip`, `systemctl` and `kubectl`.
pub fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heads.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// The table as text, without the blanks that fill up its lines.
pub fn lines(table: &Table) -> String {
    table.trim_fmt()
}

/// A text that others wrote, without what a terminal would take for a command.
pub fn plain(text: &str) -> String {
    let harmless = |character: char| {
        if character.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        }
    };
    text.chars().map(harmless).collect()
}

/// The word for a level.
pub const fn level_word(level: Level) -> &'static str {
    match level {
        Level::Safe => "safe",
        Level::Caution => "caution",
        Level::Warning => "warning",
        Level::Danger => "danger",
        Level::Unknown => "unknown",
    }
}

/// A moment in the time zone of this machine.
pub fn moment(timestamp: Timestamp) -> String {
    let zoned = timestamp.to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A duration in its two largest units.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// `1 host`, `2 hosts`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Why a text is no duration.
#[derive(Debug, thiserror::Error)]
pub enum ParseDurationError {
    /// It cannot be read.
    #[error("`{0}` is no duration; write it like 30m, 1h or 2d")]
    Unreadable(String),
    /// It is no time at all, or runs backwards.
    #[error("`{0}` is over at once; write it like 30m, 1h or 2d")]
    Over(String),
}

/// A duration as an operator writes it: `30m`, `1h`, `2d`, `1d 12h`. A day has 24 hours.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let unreadable = || ParseDurationError::Unreadable(text.to_owned());
    let span: jiff::Span = text.parse().map_err(|_| unreadable())?;
    let largest = jiff::SpanRound::new()
        .largest(Unit::Second)
        .days_are_24_hours();
    let seconds = span.round(largest).map_err(|_| unreadable())?.get_seconds();
    match u64::try_from(seconds) {
        Ok(0) | Err(_) => Err(ParseDurationError::Over(text.to_owned())),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, seconds) in [
            ("45s", 45),
            ("30m", 1_800),
            ("1h", 3_600),
            ("2d", 172_800),
            ("1d 12h", 129_600),
            ("1h30m", 5_400),
        ] {
            let parsed = parse_duration(text).expect(text);
            assert_eq!(parsed, Duration::from_secs(seconds), "{text}");
        }
        for text in ["", "1", "soon", "-1h", "0s", "1mo", "2y"] {
            let error = parse_duration(text).expect_err(text).to_string();
            assert!(error.contains("30m"), "{error}");
        }
    }

    #[test]
    fn spans_in_two_units() {
        let shown = [59, 61, 3_700, 90_000].map(span);
        assert_eq!(shown, ["59s", "1m 1s", "1h 1m", "1d 1h"]);
    }

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
