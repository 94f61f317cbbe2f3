//! How the commands reach the gateway.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::output::Format;
use crate::control::{
    Request, Response,
    client::{self, CallError},
    listen::READERS,
};

/// Where the gateway is found, and how its answers are printed.
#[derive(Clone, Debug, Args)]
pub struct Gateway {
    /// The control socket of the gateway.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "ENFORCER_SOCKET",
        default_value = "/run/enforcer/control.sock"
    )]
    pub socket: PathBuf,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Format,
}

impl Gateway {
    /// How a result is printed when the command has a switch of its own for JSON.
    pub fn format(&self, json: bool) -> Format {
        if json { Format::Json } else { self.output }
    }

    /// Asks the running gateway.
    pub fn ask(&self, request: &Request) -> Result<Response> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        let answer = runtime.block_on(client::call(&self.socket, request));
        // Whoever may not order may perhaps ask.
        let readers = self.socket.with_file_name(READERS);
        if matches!(answer, Err(CallError::Denied { .. })) && readers.exists() {
            let asked = runtime.block_on(client::call(&readers, request));
            if !matches!(asked, Err(CallError::Denied { .. })) {
                return Ok(asked?);
            }
        }
        Ok(answer?)
    }
}

/// The answer to another question than the one that was asked.
pub fn mismatch(answer: &Response) -> anyhow::Error {
    anyhow!(
        "the gateway answered another question than the one that was asked ({answer:?}); use an `enforcer` of its version"
    )
}
