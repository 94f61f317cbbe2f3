//! What was found, printed so that it can be looked into and kept.

use std::fmt::{self, Write};

use super::site::Site;
use enforcer_common::counter::Hook;

/// Two that should have agreed did not, or a law was broken.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Where.
    pub stage: Stage,
    /// What.
    pub what: String,
    /// The frame, as short as it still shows it.
    pub frame: Vec<u8>,
    /// The site of the world.
    pub site: Site,
    /// The seed of the run, and the number of the world.
    pub source: (u64, u64),
    /// The tables; empty where they do not matter.
    pub world: String,
    /// Whether the frame alone shows it, in these tables.
    pub alone: bool,
}

/// What was being compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Our parser with the oracle.
    Parser,
    /// The program at this hook with the shared code.
    Kernel(Hook),
    /// Counters and events with what was seen in a whole world.
    Reports,
}

/// A frame in hexadecimal digits, and how many zeros follow.
pub fn hex(frame: &[u8]) -> (String, usize) {
    let rest = frame.iter().rev().take_while(|byte| **byte == 0).count();
    // Short frames are easier to read whole.
    let zeros = if rest > 64 { rest } else { 0 };
    let mut text = String::new();
    for byte in &frame[..frame.len() - zeros] {
        let _ = write!(text, "{byte:02x}");
    }
    (text, zeros)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, zeros) = hex(&self.frame);
        let (seed, number) = self.source;
        writeln!(f, "FOUND, {:?}: {}", self.stage, self.what)?;
        if self.stage != Stage::Reports {
            writeln!(
                f,
                "for tests/src/fuzz/regressions.rs, which keeps what was found:"
            )?;
            writeln!(f, "    Regression {{")?;
            writeln!(f, "        what: \"…\",")?;
            writeln!(f, "        site: {},", self.site.0)?;
            writeln!(f, "        frame: \"{digits}\",")?;
            writeln!(f, "        zeros: {zeros},")?;
            writeln!(f, "    }},")?;
        }
        if !self.alone {
            writeln!(f, "only after what went before in its world")?;
        }
        if !self.world.is_empty() {
            writeln!(f, "in this world:\n{}", self.world)?;
        }
        write!(f, "again: cargo xtask fuzz --seed {seed} --world {number}")
    }
}
