//! Shows long steps: a spinner on a terminal, plain lines elsewhere.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal, PipeReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::workspace::shown;

/// How much of a failed command's output is shown.
const TAIL: usize = 25;

/// Runs a command as a named step. Its output is kept back and its end shown when it fails.
pub(crate) fn step(title: &str, command: &mut Command) -> Result<()> {
    let started = Instant::now();
    let bar = begin(title);
    let (reader, writer) = std::io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let child = command.spawn();
    // The command holds the writing ends until they are replaced; reading would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.with_context(|| format!("`{}` could not be started", shown(command)))?;
    let tail = follow(reader, &bar);
    let status = child.wait()?;
    bar.finish_and_clear();
    if !status.success() {
        let tail = Vec::from(tail).join("\n");
        bail!(
            "{title} failed ({status})\n{tail}\nthe command was: {}",
            shown(command)
        );
    }
    eprintln!(
        "setup: {title}: done in {:.1} s",
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

fn begin(title: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        eprintln!("setup: {title} …");
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}");
    let bar = ProgressBar::new_spinner().with_prefix(title.to_owned());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Shows each line as it comes; keeps the last ones.
fn follow(reader: PipeReader, bar: &ProgressBar) -> VecDeque<String> {
    let mut tail = VecDeque::with_capacity(TAIL);
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        bar.set_message(line.clone());
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_shows_what_the_command_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo to stdout; echo to stderr >&2; exit 3"]);
        let message = step("trying", &mut command)
            .expect_err("it exits with 3")
            .to_string();
        assert!(message.contains("to stdout\nto stderr"), "{message}");
        assert!(message.contains("exit status: 3"), "{message}");
    }
}
