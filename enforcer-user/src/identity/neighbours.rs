//! The kernel's neighbour tables, watched: which MAC address answers at which address.

use std::{collections::HashMap, io, net::IpAddr};

use enforcer_common::host::Host;
use futures_util::{StreamExt, TryStreamExt};
use netlink_packet_route::{
    RouteNetlinkMessage,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
};
use rtnetlink::{Handle, MulticastGroup, packet_core::NetlinkPayload};
use tokio::sync::{mpsc, watch};

use super::mac::Mac;

/// The zones of the interfaces under enforcement, by the interface's number.
pub type InterfaceZones = HashMap<u32, u32>;

/// A neighbour as the kernel has it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The host.
    pub host: Host,
    /// Its MAC address; `None` when the kernel no longer knows it.
    pub mac: Option<Mac>,
}

/// Why neighbours are not watched.
#[derive(Debug, thiserror::Error)]
pub enum NeighbourError {
    /// The kernel cannot be asked.
    #[error(
        "cannot ask the kernel for neighbours: {0}; addresses that endpoints claim do not count"
    )]
    Open(#[from] io::Error),
    /// The kernel does not list its neighbours.
    #[error(
        "the kernel does not list its neighbours: {0}; addresses that endpoints claim do not count"
    )]
    Dump(#[from] rtnetlink::Error),
    /// The kernel has closed the channel.
    #[error("the kernel tells no more of neighbours; addresses that endpoints claim do not count")]
    Closed,
}

/// Tells the neighbours on these interfaces, all of them at first and when the interfaces change, and then each
/// change, until nobody listens any more. Dropping the future ends it too.
pub async fn watch(
    mut interfaces: watch::Receiver<InterfaceZones>,
    neighbours: mpsc::Sender<Neighbour>,
) -> Result<(), NeighbourError> {
    // First the group, then the dump: what changes in between is told twice rather than not at all.
    let (connection, handle, mut messages) =
        rtnetlink::new_multicast_connection(&[MulticastGroup::Neigh])?;
    let mut driver = tokio::task::JoinSet::new();
    driver.spawn(connection);
    let mut is_dump_due = true;
    loop {
        if is_dump_due {
            let zones = interfaces.borrow_and_update().clone();
            dump(&handle, &zones, &neighbours).await?;
        }
        let payload = tokio::select! {
            message = messages.next() => message.ok_or(NeighbourError::Closed)?.0.payload,
            changed = interfaces.changed() => match changed {
                Ok(()) => NetlinkPayload::Overrun(Vec::new()),
                Err(_) => return Ok(()),
            },
            () = neighbours.closed() => return Ok(()),
        };
        // The kernel had more to tell than the socket could hold.
        is_dump_due = matches!(payload, NetlinkPayload::Overrun(_));
        let neighbour = change(&interfaces.borrow(), &payload);
        if let Some(neighbour) = neighbour {
            tell(&neighbours, neighbour).await;
        }
    }
}

async fn dump(
    handle: &Handle,
    zones: &InterfaceZones,
    neighbours: &mpsc::Sender<Neighbour>,
) -> Result<(), NeighbourError> {
    let mut entries = handle.neighbours().get().execute();
    while let Some(message) = entries.try_next().await? {
        if let Some(neighbour) = read(zones, &message, true) {
            tell(neighbours, neighbour).await;
        }
    }
    Ok(())
}

async fn tell(neighbours: &mpsc::Sender<Neighbour>, neighbour: Neighbour) {
    // An error means that nobody listens any more, which ends `watch`.
    let _ = neighbours.send(neighbour).await;
}

fn change(
    zones: &InterfaceZones,
    payload: &NetlinkPayload<RouteNetlinkMessage>,
) -> Option<Neighbour> {
    match payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewNeighbour(message)) => {
            read(zones, message, true)
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelNeighbour(message)) => {
            read(zones, message, false)
        }
        _ => None,
    }
}

/// What a message says of a host of ours; `None` when it is about something else.
fn read(zones: &InterfaceZones, message: &NeighbourMessage, is_there: bool) -> Option<Neighbour> {
    let zone = *zones.get(&message.header.ifindex)?;
    let address = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)) => Some(IpAddr::from(*ip)),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)) => Some(IpAddr::from(*ip)),
            _ => None,
        })?;
    let host = Host {
        zone,
        address: address.into(),
    };
    let is_known = is_there && is_resolved(message.header.state);
    let mac = is_known.then(|| mac(message)).flatten();
    Some(Neighbour { host, mac })
}

fn mac(message: &NeighbourMessage) -> Option<Mac> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(bytes) => {
            Mac::of_host(bytes.as_slice().try_into().ok()?)
        }
        _ => None,
    })
}

/// Whether the kernel would send to the MAC address in an entry of this state.
fn is_resolved(state: NeighbourState) -> bool {
    matches!(
        state,
        NeighbourState::Reachable
            | NeighbourState::Stale
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Permanent
    )
}
