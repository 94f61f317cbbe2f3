//! The kernel's neighbour tables, in a network namespace of the test's own. Needs root.

use std::{fs, process::Command, time::Duration};

use enforcer::identity::{
    Mac,
    neighbours::{Evidence, InterfaceZones, Neighbour, Question, watch},
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

fn host(address: &str) -> Host {
    let address = address.parse::<std::net::IpAddr>().expect("an address");
    Host {
        zone: 3,
        address: address.into(),
    }
}

fn neighbour(interface: &str, address: &str, evidence: Evidence) -> Neighbour {
    Neighbour {
        host: host(address),
        interface: index(interface),
        evidence,
    }
}

const fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
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
    use Evidence::{Answers, Gone, Told};
    ip("link add guarded type veth peer name other");
    ip("link set guarded up");
    ip("link set other up");
    ip("neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev guarded");
    ip("neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev other");
    let zones = InterfaceZones::from([(index("guarded"), 3)]);
    let (interfaces, changes) = state::channel(zones);
    let (sender, mut neighbours) = mpsc::channel(64);
    let (questions, asked) = mpsc::channel(1);
    let watching = tokio::spawn(watch(changes, asked, sender));
    let here = |address, evidence| neighbour("guarded", address, evidence);
    expect(&mut neighbours, here("10.0.0.1", Answers(mac(1)))).await;

    ip("neigh add fd00::2 lladdr 02:00:00:00:00:02 dev guarded nud stale");
    expect(&mut neighbours, here("fd00::2", Told(mac(2)))).await;
    ip("neigh replace 10.0.0.1 lladdr 02:00:00:00:00:03 dev guarded");
    expect(&mut neighbours, here("10.0.0.1", Answers(mac(3)))).await;
    ip("neigh del 10.0.0.1 dev guarded");
    expect(&mut neighbours, here("10.0.0.1", Gone)).await;

    ask(&questions, &mut neighbours).await;
    let both = InterfaceZones::from([(index("guarded"), 3), (index("other"), 3)]);
    interfaces.send(both).expect("it watches");
    let there = neighbour("other", "10.0.0.9", Answers(mac(9)));
    expect(&mut neighbours, there).await;
    drop(interfaces);
    let ended = timeout(Duration::from_secs(5), watching).await;
    ended
        .expect("in time")
        .expect("no panic")
        .expect("no error");
}

/// There is nobody who could answer.
async fn ask(questions: &mpsc::Sender<Question>, neighbours: &mut mpsc::Receiver<Neighbour>) {
    ip("address add 10.0.0.254/24 dev guarded");
    let hasty = "/proc/sys/net/ipv4/neigh/guarded/retrans_time_ms";
    fs::write(hasty, "50").expect("it can be set");
    let question = Question {
        host: host("10.0.0.7"),
        mac: mac(7),
        interface: None,
    };
    questions.send(question).await.expect("it is asked");
    let here = |evidence| neighbour("guarded", "10.0.0.7", evidence);
    expect(neighbours, here(Evidence::Told(mac(7)))).await;
    expect(neighbours, here(Evidence::Silent)).await;
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
