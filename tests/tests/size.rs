//! The programs stay small: what is added to the path of every packet is seen here first.

use anyhow::{Context, Result};
use enforcer::datapath::Size;
use enforcer_common::counter::Hook;
use enforcer_tests::gate::Gate;

/// What each program may have at most, with a little room above what it has. XDP has 4,173 instructions,
/// the way to the portal and the resets among them, and 142,034 walked through; TC has 3,412 and 115,486.
///
/// The kernel refuses more than a million walked through (`BPF_COMPLEXITY_LIMIT_INSNS`).
const MOST: [(Hook, Size); 2] = [
    (
        Hook::Xdp,
        Size {
            instructions: 4_400,
            verified: 160_000,
        },
    ),
    (
        Hook::TcEgress,
        Size {
            instructions: 4_096,
            verified: 130_000,
        },
    ),
];

#[test]
fn the_programs_keep_to_their_budget() -> Result<()> {
    let gate = Gate::new()?;
    for (hook, most) in MOST {
        let size = gate.bench.size(hook)?.context("the kernel does not say")?;
        println!("{hook:?}: {size:?}");
        assert!(size.instructions < most.instructions, "{hook:?}: {size:?}");
        assert!(size.verified < most.verified, "{hook:?}: {size:?}");
    }
    Ok(())
}
