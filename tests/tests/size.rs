//! The programs stay small: what is added to the path of every packet is seen here first.

use anyhow::{Context, Result};
use enforcer_tests::gate::Gate;

/// What a program may have at most, with a little room above what it has.
struct Most {
    program: &'static str,
    instructions: u32,
    /// What the verifier walks through; the kernel refuses more than a million
    /// (`BPF_COMPLEXITY_LIMIT_INSNS`). About a fifth of it is the chain of IPv6 extension headers.
    verified: u32,
}

const MOST: [Most; 2] = [
    Most {
        program: "enforcer_xdp",
        instructions: 4_096,
        verified: 160_000,
    },
    Most {
        program: "enforcer_tc_egress",
        instructions: 4_096,
        verified: 130_000,
    },
];

#[test]
fn the_programs_keep_to_their_budget() -> Result<()> {
    let gate = Gate::new()?;
    let sizes = gate.sizes()?;
    for most in MOST {
        let size = sizes.iter().find(|size| size.program == most.program);
        let size = size.context("no such program")?;
        println!("{size:?}");
        assert!(size.instructions < most.instructions, "{size:?}");
        assert!(size.verified < Some(most.verified), "{size:?}");
    }
    Ok(())
}
