//! Finding endpoints whose addresses are translated: what is watched, and who is told.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::addresses::Addresses;
use crate::{
    config::{Compiled, Config, Servers as Named},
    conntrack::{self, Servers, Told},
    identity::{Statics, tracer::Tracer},
    sources::clock::Clock,
};

/// How many translated connections may wait for the controller.
const TOLD: usize = 1024;

/// Begins to watch connections with the management servers, which have the addresses `remote` unless there is one that is
/// embedded, and this clock. Who finds endpoints by them, and where it hears of them.
pub(super) fn watch(
    config: &Config,
    compiled: &Compiled,
    addresses: &Addresses,
    (remote, clock): (&[SocketAddr], Arc<Clock>),
    tasks: &mut JoinSet<()>,
) -> (Tracer, mpsc::Receiver<Told>) {
    let (servers, watched) = watch::channel(ends(config, remote));
    let (wanted, to_list) = mpsc::channel(1);
    let (told_in, told) = mpsc::channel(TOLD);
    tasks.spawn(async move {
        if let Err(error) = conntrack::watch(watched, to_list, told_in).await {
            tracing::warn!("{error}");
        }
    });
    let statics = Statics::new(compiled.statics.clone());
    let tracer = Tracer::new(statics, addresses.apart(compiled), servers, wanted, clock);
    (tracer, told)
}

/// The management server's own ends of connections with it, as far as they are known from here. Those of an embedded
/// one are this machine's: nothing is translated on the way to them.
fn ends(config: &Config, remote: &[SocketAddr]) -> Servers {
    match config.management.servers() {
        Ok(Named::Remote(_)) => remote.iter().copied().collect(),
        _ => Servers::new(),
    }
}
