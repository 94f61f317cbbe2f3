//! The programs stay small: what is added to the path of every packet is seen here first.

use anyhow::{Context, Result};
use enforcer::datapath::Size;
use enforcer_tests::gate::Gate;

/// What a program may have at most: instructions, and instructions that the verifier walks through, each branch and
/// state counted anew. The kernel refuses more than a million of these (`BPF_COMPLEXITY_LIMIT_INSNS`).
const INSTRUCTIONS: u32 = 4_096;
const VERIFIED: u32 = 100_000;

#[test]
fn the_programs_keep_to_their_budget() -> Result<()> {
    let mut above = Vec::new();
    for size in Gate::new()?.sizes()? {
        let Size {
            program,
            instructions,
            ..
        } = size;
        let verified = size.verified.context("this kernel does not say")?;
        // What `cargo xtask vm --record` reads.
        println!("size: {program}: {instructions} instructions, {verified} verified");
        if instructions >= INSTRUCTIONS || verified >= VERIFIED {
            above.push(size);
        }
    }
    assert!(above.is_empty(), "above the budget: {above:#?}");
    Ok(())
}
