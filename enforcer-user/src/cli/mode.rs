//! `enforcer mode`.

use anyhow::Result;
use clap::Args;

use super::{
    gateway::{Gateway, mismatch},
    output,
};
use crate::control::{
    Request, Response,
    request::{Mode, ModeChange},
};

/// Which mode is set.
#[derive(Debug, Args)]
pub struct ModeCommand {
    /// The mode.
    #[arg(value_enum)]
    mode: Mode,
}

impl ModeCommand {
    /// Changes the mode of the running gateway.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        match gateway.ask(&Request::Mode { mode: self.mode })? {
            Response::Mode(change) => output::print(gateway.output, &change, text),
            other => Err(mismatch(&other)),
        }
    }
}

fn text(change: &ModeChange) -> String {
    let effect = match change.mode {
        Mode::Monitor => "nothing is stopped, only counted",
        Mode::Enforce => "hosts are stopped as their roles say",
    };
    if change.mode == change.before {
        return format!("The mode is {} already: {effect}.", change.mode);
    }
    format!(
        "The mode is {} now and was {} before: {effect}.",
        change.mode, change.before
    )
}
