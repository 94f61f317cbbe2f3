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

/// What the kernel knows of a neighbour now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The host.
    pub host: Host,
    /// The interface, as the kernel numbers it.
    pub interface: u32,
    /// What it knows.
    pub evidence: Evidence,
}

/// Where a neighbour is, and how far that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// This MAC address answered when the kernel asked, or the administrator says so.
    Answers(Mac),
    /// Somebody said so, or it answered a while ago.
    Told(Mac),
    /// The kernel has asked, and nobody answered.
    Silent,
    /// The kernel does not know.
    Gone,
}

/// Whether this MAC address still answers at the address of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The host.
    pub host: Host,
    /// The MAC address.
    pub mac: Mac,
    /// The interface, where it is known.
    pub interface: Option<u32>,
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
/// change, and has the kernel ask what is asked here, until nobody listens any more. Dropping the future ends it
/// too.
pub async fn watch(
    mut interfaces: watch::Receiver<InterfaceZones>,
    mut questions: mpsc::Receiver<Question>,
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
            Some(question) = questions.recv() => {
                let zones = interfaces.borrow().clone();
                ask(&handle, &zones, &question).await;
                continue;
            }
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

/// Has the kernel ask a neighbour, and nobody else, whether it is still there: the answer, or that there is none,
/// comes as a change.
async fn ask(handle: &Handle, zones: &InterfaceZones, question: &Question) {
    let Question {
        host,
        mac: Mac(mac),
        interface,
    } = question;
    let of_zone = |interface: &u32| zones.get(interface) == Some(&host.zone);
    let known = interface.filter(of_zone);
    let Some(interface) = known.or_else(|| zones.keys().copied().filter(of_zone).min()) else {
        return;
    };
    let entry = handle.neighbours().add(interface, host.address.into());
    let probe = entry.link_layer_address(mac).state(NeighbourState::Probe);
    if let Err(error) = probe.replace().execute().await {
        tracing::warn!(address = %host.address, "the kernel cannot ask a neighbour: {error}");
    }
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
    let known = mac(message).filter(|_| is_there);
    let evidence = match (message.header.state, known) {
        (NeighbourState::Reachable | NeighbourState::Permanent, Some(mac)) => {
            Evidence::Answers(mac)
        }
        (NeighbourState::Stale | NeighbourState::Delay | NeighbourState::Probe, Some(mac)) => {
            Evidence::Told(mac)
        }
        (NeighbourState::Failed, _) if is_there => Evidence::Silent,
        _ => Evidence::Gone,
    };
    Some(Neighbour {
        host,
        interface: message.header.ifindex,
        evidence,
    })
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
