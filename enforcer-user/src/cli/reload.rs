//! `enforcer reload`.

use anyhow::Result;
use clap::Args;

use super::{
    gateway::{Gateway, mismatch},
    output,
};
use crate::control::{Request, Response, request::Reloaded};

/// How the result is printed.
#[derive(Debug, Args)]
pub struct ReloadCommand {
    /// As JSON; the same as `--output json`.
    #[arg(long)]
    json: bool,
}

impl ReloadCommand {
    /// Has the running gateway read its configuration anew.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        match gateway.ask(&Request::Reload)? {
            Response::Reloaded(done) => output::print(gateway.format(self.json), &done, text),
            other => Err(mismatch(&other)),
        }
    }
}

fn text(done: &Reloaded) -> String {
    if done.changed.is_empty() {
        return format!("{} is in force as it was: nothing has changed.", done.file);
    }
    format!(
        "{} is in force, mode {}. Changed: {}.",
        done.file,
        done.mode,
        done.changed.join(", ")
    )
}
