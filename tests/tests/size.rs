//! The programs stay small: what is added to the path of every packet is seen here first.

use anyhow::{Context, Result};
use enforcer_tests::gate::Gate;

/// What a program may have at most: instructions, and instructions that the verifier walks through, each branch and
/// state counted anew. The kernel refuses more than a million of these (`BPF_COMPLEXITY_LIMIT_INSNS`).
const INSTRUCTIONS: u32 = 4_096;
const VERIFIED: u32 = 100_000;

#[test]
fn the_programs_keep_to_their_budget() -> Result<()> {
    let sizes = Gate::new()?.sizes()?;
    for size in &sizes {
        println!("{size:?}");
    }
    for size in &sizes {
        assert!(size.instructions < INSTRUCTIONS, "{size:?}");
        let walked = size.verified.context("this kernel does not say")?;
        assert!(walked < VERIFIED, "{size:?}");
    }
    Ok(())
}
