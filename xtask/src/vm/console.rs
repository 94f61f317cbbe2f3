//! What a machine says, from its first line to its last.

use std::fmt;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use enforcer_vm::Report;

use super::qemu::{Ending, Listener};
use super::sizes::Sizes;
use crate::tally::Tally;

/// How long a machine, and each part of its series, may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) whole: Duration,
    pub(super) part: Duration,
}

/// Shows the console and keeps what it says of the parts.
pub(super) struct Console {
    limits: Limits,
    started: Instant,
    running: Option<Running>,
    /// How many parts have ended.
    ended: usize,
    /// The names of those that failed, with their exit status.
    failed: Vec<(String, u8)>,
    is_over: bool,
    pub(super) tally: Tally,
    pub(super) sizes: Sizes,
}

struct Running {
    name: String,
    since: Instant,
}

impl Console {
    /// The console of a machine that starts now.
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            running: None,
            ended: 0,
            failed: Vec::new(),
            is_over: false,
            tally: Tally::default(),
            sizes: Sizes::default(),
        }
    }

    /// What came of it all.
    pub(super) fn verdict(&self, ending: Ending) -> Verdict {
        let (status, what) = match (self.is_over, self.failed.first(), ending) {
            (true, None, _) => (0, "passed".to_owned()),
            (true, Some((_, status)), _) => (*status, format!("FAILED: {}", self.failures())),
            (false, _, Ending::Killed) => {
                (HUNG, format!("FAILED: killed, since {}", self.overdue()))
            }
            (false, _, Ending::Stopped) => (1, format!("FAILED: {}", self.broken_off())),
        };
        let seconds = self.started.elapsed().as_secs_f32();
        let (parts, tally) = (self.ended, &self.tally);
        let text = format!("{what}; {parts} parts in {seconds:.1} s; tests: {tally}");
        Verdict { status, text }
    }

    fn failures(&self) -> String {
        let failed = self.failed.iter();
        let failed = failed.map(|(name, status)| format!("{name} (exit status {status})"));
        failed.collect::<Vec<_>>().join(", ")
    }

    fn overdue(&self) -> String {
        let Limits { whole, part } = self.limits;
        match &self.running {
            Some(Running { name, since }) if since.elapsed() >= part => {
                let part = part.as_secs();
                format!("{name} did not end within {part} s (--part-limit)")
            }
            _ => format!("it did not end within {} s (--limit)", whole.as_secs()),
        }
    }

    fn broken_off(&self) -> String {
        let place = match &self.running {
            Some(Running { name, .. }) => format!("during {name}"),
            None => "outside of any part".to_owned(),
        };
        format!("the machine stopped {place}; its last lines say why")
    }

    fn report(&mut self, report: Report) -> String {
        match report {
            Report::Begins(name) => {
                let header = format!("── {name}");
                let since = Instant::now();
                self.running = Some(Running { name, since });
                header
            }
            Report::Ended(status) => {
                self.ended += 1;
                let running = self.running.take();
                let (name, seconds) = running.map_or_else(Default::default, |running| {
                    (running.name, running.since.elapsed().as_secs_f32())
                });
                let line = format!("── {name}: exit status {status}, {seconds:.1} s");
                if status != 0 {
                    self.failed.push((name, status));
                }
                line
            }
            Report::Over => {
                self.is_over = true;
                String::new()
            }
        }
    }
}

impl Listener for Console {
    fn line(&mut self, line: &str) {
        let shown = match Report::parse(line) {
            Some(report) => self.report(report),
            // The kernel's own farewell says nothing.
            None if self.is_over => return,
            None => {
                self.tally.add_test_line(line);
                self.tally.add_demo_line(line);
                self.sizes.add_line(line);
                line.to_owned()
            }
        };
        // Whoever reads this may have gone; the machine goes on to its end.
        writeln!(stdout(), "{shown}").ok();
    }

    fn deadline(&self) -> Instant {
        let whole = self.started + self.limits.whole;
        let part = self
            .running
            .as_ref()
            .map(|running| running.since + self.limits.part);
        part.map_or(whole, |part| part.min(whole))
    }
}

/// The exit status of a machine that hung, as timeout(1) has it.
const HUNG: u8 = 124;

/// Whether everything passed, in one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The exit status.
    pub(super) status: u8,
    text: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(lines: &[String]) -> Console {
        let mut console = Console::new(Limits {
            whole: Duration::from_mins(15),
            part: Duration::from_mins(5),
        });
        for line in lines {
            console.line(line);
        }
        console
    }

    fn said(reports: &[Report]) -> Vec<String> {
        reports.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_passes_when_every_part_did() {
        let begins = || Report::Begins("size".to_owned());
        let lines = said(&[begins(), Report::Ended(0), Report::Over]);
        assert_eq!(console(&lines).verdict(Ending::Stopped).status, 0);
        let lines = said(&[begins(), Report::Ended(101), Report::Over]);
        let verdict = console(&lines).verdict(Ending::Stopped);
        assert_eq!(verdict.status, 101);
        assert!(verdict.to_string().contains("size (exit status 101)"));
    }

    #[test]
    fn a_machine_that_stops_or_hangs_has_not_passed() {
        let lines = said(&[Report::Begins("demo".to_owned())]);
        let verdict = console(&lines).verdict(Ending::Stopped);
        assert_eq!(verdict.status, 1);
        assert!(verdict.to_string().contains("during demo"), "{verdict}");
        assert_eq!(console(&lines).verdict(Ending::Killed).status, HUNG);
    }
}
