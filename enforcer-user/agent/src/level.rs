//! Levels, in words.

use enforcer_protocol::judgement::Level;

/// The word for a level, as it stands in policies and in JSON.
pub fn word(level: Level) -> &'static str {
    match level {
        Level::Safe => "safe",
        Level::Caution => "caution",
        Level::Warning => "warning",
        Level::Danger => "danger",
        Level::Unknown => "unknown",
    }
}
