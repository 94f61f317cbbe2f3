//! `enforcer http`: the child of `enforcer run` that speaks HTTP.

use std::{io, net::SocketAddr, path::PathBuf, process, str::FromStr, thread};

use anyhow::{Context, Result};
use clap::Args;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{
    confine, logs,
    portal::{Interface, Options, Portal, Words},
};

/// Enough for pages that wait for the gateway more than they compute.
const THREADS: usize = 2;

/// What the child is started with.
#[derive(Debug, Args)]
pub struct HttpCommand {
    /// The socket over which it asks the gateway.
    #[arg(long, value_name = "PATH")]
    control: PathBuf,
    /// An interface with a portal and the zone of the hosts behind it; `-` for every interface.
    #[arg(
        long = "portal-interface",
        value_name = "NAME=ZONE",
        allow_hyphen_values = true
    )]
    portals: Vec<Interface>,
    /// The port of the portals.
    #[arg(long, default_value_t = 8480)]
    portal_port: u16,
    /// Where metrics and health are served.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9469")]
    metrics_listen: SocketAddr,
    /// The organisation that the page names.
    #[arg(long)]
    organisation: Option<String>,
    /// Whom the page says to ask.
    #[arg(long)]
    contact: Option<String>,
    /// Where the page says that more help is found.
    #[arg(long, value_name = "URL")]
    help_url: Option<String>,
    /// End when standard input ends: the gateway holds its other end, so that no child outlives it.
    #[arg(long)]
    lifeline: bool,
}

impl HttpCommand {
    /// Serves until it is told to end.
    pub fn run(self) -> Result<()> {
        allow_many_connections();
        confine::child()?;
        logs::detach(|| {}).context("cannot start the thread that writes logs")?;
        if self.lifeline {
            thread::spawn(end_with_standard_input);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        runtime.block_on(async {
            Portal::bind(self.options())?.serve().await;
            Ok(())
        })
    }

    fn options(self) -> Options {
        Options {
            control: self.control,
            portals: self.portals,
            portal_port: self.portal_port,
            metrics: self.metrics_listen,
            words: Words {
                organisation: self.organisation,
                contact: self.contact,
                help_url: self.help_url,
            },
        }
    }
}

/// The usual limit of 1,024 open files is below what the portals serve. Less will do if it must.
fn allow_many_connections() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

fn end_with_standard_input() {
    let _ended = io::copy(&mut io::stdin(), &mut io::sink());
    logs::finish();
    process::exit(0);
}

/// Why a text names no interface with its zone.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` does not name an interface and its zone; write NAME=ZONE")]
pub struct ParseInterfaceError(String);

impl FromStr for Interface {
    type Err = ParseInterfaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, zone)) if !name.is_empty() && !zone.is_empty() => Ok(Self {
                name: (name != "-").then(|| name.to_owned()),
                zone: zone.to_owned(),
            }),
            _ => Err(ParseInterfaceError(text.to_owned())),
        }
    }
}
