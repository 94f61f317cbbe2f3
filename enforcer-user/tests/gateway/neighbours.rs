//! The kernel's neighbour tables, in a network namespace of the test's own. Needs root.

use std::{process::Command, time::Duration};

use enforcer::identity::{
    Mac,
    neighbours::{InterfaceZones, Neighbour, watch},
};
use enforcer_common::host::Host;
use nix::sched::{CloneFlags, unshare};
use tokio::{
    sync::{mpsc, watch as state},
    time::timeout,
};

use crate::listen::LIMIT;

fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).status();
    assert!(
        done.expect("iproute2 is installed").success(),
        "ip {arguments}"
    );
}

fn index(interface: &str) -> u32 {
    nix::net::if_::if_nametoindex(interface).expect("an interface")
}

fn neighbour(address: &str, mac: Option<u8>) -> Neighbour {
    let address = address.parse::<std::net::IpAddr>().expect("an address");
    Neighbour {
        host: Host {
            zone: 3,
            address: address.into(),
        },
        mac: mac.map(|last| Mac([2, 0, 0, 0, 0, last])),
    }
}

/// Waits for a neighbour. Others may come before it: the kernel tells some things twice.
async fn expect(neighbours: &mut mpsc::Receiver<Neighbour>, expected: Neighbour) {
    let found = timeout(LIMIT, async {
        while let Some(neighbour) = neighbours.recv().await {
            if neighbour == expected {
                return true;
            }
        }
        false
    });
    assert!(found.await.unwrap_or(false), "{expected:?} did not come");
}

async fn watched() {
    ip("link add guarded type veth peer name other");
    ip("link set guarded up");
    ip("link set other up");
    ip("neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev guarded");
    ip("neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev other");
    let zones = InterfaceZones::from([(index("guarded"), 3)]);
    let (interfaces, changes) = state::channel(zones);
    let (sender, mut neighbours) = mpsc::channel(64);
    let watching = tokio::spawn(watch(changes, sender));
    expect(&mut neighbours, neighbour("10.0.0.1", Some(1))).await;

    ip("neigh add fd00::2 lladdr 02:00:00:00:00:02 dev guarded");
    expect(&mut neighbours, neighbour("fd00::2", Some(2))).await;
    ip("neigh replace 10.0.0.1 lladdr 02:00:00:00:00:03 dev guarded");
    expect(&mut neighbours, neighbour("10.0.0.1", Some(3))).await;
    ip("neigh del 10.0.0.1 dev guarded");
    expect(&mut neighbours, neighbour("10.0.0.1", None)).await;

    let both = InterfaceZones::from([(index("guarded"), 3), (index("other"), 3)]);
    interfaces.send(both).expect("it watches");
    expect(&mut neighbours, neighbour("10.0.0.9", Some(9))).await;
    drop(interfaces);
    let ended = timeout(Duration::from_secs(5), watching).await;
    ended
        .expect("in time")
        .expect("no panic")
        .expect("no error");
}

#[test]
fn real_neighbours_arrive() {
    // The namespace belongs to the thread and ends with it.
    let test = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).expect("root");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(watched());
    });
    test.join().expect("the test passes");
}
