//! Follows what the kernel tells of neighbours and interfaces.

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    identity::neighbours::{self, InterfaceZones, Neighbour, Question},
    links::{self, Forwarding},
};

/// The neighbours on these interfaces; what is to be asked of them is asked.
pub(super) fn neighbours(
    tasks: &mut JoinSet<()>,
    watched: watch::Receiver<InterfaceZones>,
    to_ask: mpsc::Receiver<Question>,
    seen: mpsc::Sender<Neighbour>,
) {
    tasks.spawn(async move {
        if let Err(error) = neighbours::watch(watched, to_ask, seen).await {
            tracing::error!("{error}");
        }
    });
}

/// The interfaces, whenever they change.
pub(super) fn links(tasks: &mut JoinSet<()>) -> mpsc::Receiver<Vec<Forwarding>> {
    let (told, links) = mpsc::channel(1);
    tasks.spawn(async move {
        if let Err(error) = links::watch(told).await {
            tracing::error!(
                "{error}; interfaces that come and go are not noticed until the next start"
            );
        }
    });
    links
}
