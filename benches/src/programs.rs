//! How large the programs are. Unlike times these figures are the same on every run of a kernel.

use anyhow::Result;
use enforcer::datapath::Size;
use enforcer_tests::gate::Gate;
use serde::Serialize;

use crate::table::Line;

/// A program.
#[derive(Serialize)]
pub struct Row {
    program: &'static str,
    instructions: u32,
    verified: Option<u32>,
    native_bytes: u32,
}

/// Loads the programs and asks the kernel.
pub fn count() -> Result<Vec<Row>> {
    let sizes = Gate::new()?.sizes()?;
    let row = |size: Size| Row {
        program: size.program,
        instructions: size.instructions,
        verified: size.verified,
        native_bytes: size.native_bytes,
    };
    Ok(sizes.into_iter().map(row).collect())
}

impl Line for Row {
    const HEADS: &[&str] = &["program", "instructions", "verified", "native bytes"];

    fn cells(&self) -> Vec<String> {
        let verified = self.verified.map_or("?".into(), |count| count.to_string());
        vec![
            self.program.to_owned(),
            self.instructions.to_string(),
            verified,
            self.native_bytes.to_string(),
        ]
    }
}
