//! The programs stay small: what is added to the path of every packet is seen here first.

use anyhow::{Context, Result};
use enforcer_tests::gate::Gate;

/// What a program may have at most, with a little room above what it has: instructions, and instructions
/// that the verifier walks through, each branch and state counted anew. The kernel refuses more than a
/// million of these (`BPF_COMPLEXITY_LIMIT_INSNS`).
const MOST: [(&str, u32, u32); 2] = [
    ("enforcer_xdp", 4_096, 160_000),
    ("enforcer_tc_egress", 4_096, 130_000),
];

#[test]
fn the_programs_keep_to_their_budget() -> Result<()> {
    let gate = Gate::new()?;
    for (size, (name, instructions, verified)) in gate.sizes()?.iter().zip(MOST) {
        println!("{size:?}");
        assert_eq!(size.program, name);
        assert!(size.instructions < instructions, "{size:?}");
        let walked = size.verified.context("this kernel does not say")?;
        assert!(walked < verified, "{size:?}");
    }
    Ok(())
}
