//! `cargo xtask demo`: the whole story in network namespaces, with the real programs.

use crate::workspace::Workspace;

/// How the demo is run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object a line: step, expected, observed, ok, ms.
    #[arg(long)]
    json: bool,
    /// Leave everything standing at the end, with hints how to look inside.
    #[arg(long)]
    keep: bool,
    /// Use the release profile.
    #[arg(long)]
    release: bool,
}

/// Builds the gateway and shows each step; fails unless every step holds.
pub(crate) fn run(args: &Args, workspace: &Workspace) -> anyhow::Result<()> {
    let enforcer = workspace.gateway(args.release)?;
    anyhow::bail!(
        "the demo has no steps yet (built {}, json {}, keep {})",
        enforcer.display(),
        args.json,
        args.keep
    )
}
