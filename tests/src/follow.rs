//! A command that goes on and prints lines, read while it runs.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::Context;
use serde_json::Value;

use crate::wait;

/// A running command; killed when dropped.
pub struct Following {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Following {
    /// Starts it.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                written
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        Ok(Self { child, lines })
    }

    /// What it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until it has printed a JSON object of which this is so.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn object(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, || {
            let lines = self.lines();
            let mut objects = lines
                .iter()
                .filter_map(|line| serde_json::from_str(line).ok());
            objects.find(|object| is_it(object))
        })
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
