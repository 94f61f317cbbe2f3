//! The programs stay small: what is added to the path of every packet is seen here first.

use anyhow::{Context, Result};
use enforcer_common::counter::Hook;
use enforcer_tests::gate::Gate;

/// A tenth of what the verifier walks through at most (`BPF_COMPLEXITY_LIMIT_INSNS`).
const MOST_VERIFIED: u32 = 100_000;

/// What a program may have before someone writes down why.
const MOST_INSTRUCTIONS: u32 = 4096;

#[test]
fn the_programs_keep_to_their_budget() -> Result<()> {
    let gate = Gate::new()?;
    for hook in [Hook::Xdp, Hook::TcEgress] {
        let size = gate.bench.size(hook)?.context("the kernel does not say")?;
        println!("{hook:?}: {size:?}");
        assert!(size.verified < MOST_VERIFIED, "{hook:?}: {size:?}");
        assert!(size.instructions < MOST_INSTRUCTIONS, "{hook:?}: {size:?}");
    }
    Ok(())
}
