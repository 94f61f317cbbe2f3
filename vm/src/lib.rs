//! What the init program of the virtual machine, the program that makes its image, and what runs in it agree on.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the machine is to do: a [`Series`] as JSON.
pub const SERIES: &str = "/etc/enforcer-vm/series.json";

/// The kernel modules, named so that the order of their names is the order of loading.
pub const MODULES: &str = "/etc/enforcer-vm/modules";

/// Where commands are looked for; first the real ones, then those of busybox.
pub const PATH: &str = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The exit status that stands for "the command could not be run at all", as in a shell.
pub const CANNOT_RUN: u8 = 127;

/// Names, in the environment, how many times slower than real hardware the machine is: see [`patient`].
pub const SLOWNESS: &str = "ENFORCER_SLOWNESS";

/// Names, in the environment, the gateway's program that the tests start.
pub const PROGRAM: &str = "ENFORCER_PROGRAM";

/// Begins every line that init itself tells on the console.
const MARK: &str = "enforcer-vm: ";

/// Commands, one after the other; one that fails does not keep the next from running.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// What each finds in its environment, beside the usual.
    pub environment: Vec<(String, String)>,
    /// The commands.
    pub parts: Vec<Part>,
}

/// A command of a series.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What people call it.
    pub name: String,
    /// The command line.
    pub words: Vec<String>,
}

/// What init tells on the console, each on a line of its own among the output of the commands.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The next part begins.
    Begins(String),
    /// It has ended, with this exit status.
    Ended(u8),
    /// Every part has ended.
    Over,
}

impl Report {
    /// The report that a line of the console is, if it is one.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line.trim().strip_prefix(MARK)?).ok()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        write!(f, "{MARK}{json}")
    }
}

/// How many times slower than real hardware this machine is, as its environment says.
pub fn slowness() -> u32 {
    factor(std::env::var(SLOWNESS).ok().as_deref())
}

/// How long something may take here that may take so long on real hardware.
pub fn patient(limit: Duration) -> Duration {
    limit * slowness()
}

fn factor(value: Option<&str>) -> u32 {
    value
        .and_then(|value| value.parse().ok())
        .map_or(1, |factor: u32| factor.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_the_console() {
        let reports = [
            Report::Begins("a \"part\"".to_owned()),
            Report::Ended(7),
            Report::Over,
        ];
        for report in reports {
            let line = format!("{report}\r");
            assert_eq!(Report::parse(&line), Some(report), "{line}");
        }
    }

    #[test]
    fn what_commands_say_is_no_report() {
        for line in ["\"Over\"", "enforcer-vm: cannot mount proc", ""] {
            assert_eq!(Report::parse(line), None, "{line}");
        }
    }

    #[test]
    fn no_machine_is_infinitely_fast() {
        let factors = [None, Some("8"), Some("0"), Some("slow")].map(factor);
        assert_eq!(factors, [1, 8, 1, 1]);
    }
}
