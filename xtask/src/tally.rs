//! Adds up what test runners report.

use std::fmt;

/// How many tests and demo steps passed, failed and were left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// Counts what another has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Counts a line of `cargo test`: `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn add_test_line(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|l| l.split_once(". "))
        else {
            return;
        };
        for count in counts.split(';') {
            let mut words = count.split_whitespace();
            let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else {
                continue;
            };
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored") => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Counts a line of `cargo xtask demo --json`.
    pub(crate) fn add_demo_line(&mut self, line: &str) {
        #[derive(serde::Deserialize)]
        struct Step {
            ok: bool,
        }
        match serde_json::from_str(line) {
            Ok(Step { ok: true }) => self.passed += 1,
            Ok(Step { ok: false }) => self.failed += 1,
            Err(_) => {}
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} skipped", self.ignored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_results_and_demo_steps_add_up() {
        let mut tally = Tally::default();
        tally.add_test_line("running 5 tests");
        tally.add_test_line("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s");
        tally.add_test_line(
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        tally.add_demo_line(r#"{"step":1,"expected":"held","observed":"held","ok":true,"ms":4}"#);
        tally.add_demo_line(
            r#"{"step":2,"expected":"a page","observed":"a reset","ok":false,"ms":4}"#,
        );
        tally.add_demo_line("not json");
        assert_eq!(
            tally,
            Tally {
                passed: 8,
                failed: 4,
                ignored: 1
            }
        );
        assert_eq!(tally.to_string(), "8 passed, 4 failed, 1 skipped");
    }
}
