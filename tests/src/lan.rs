//! A network with a gateway in it, on cables of its own.
//!
//! ```text
//! laptop ──┐
//!          switch ── lan0 gateway wan0 ── servers
//! desktop ─┘
//! ```

use std::{
    io::Write,
    net::SocketAddr,
    path::Path,
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, ensure};

use crate::{
    host::Host,
    namespace::{Namespace, output},
    servers::Servers,
};

/// The gateway's address on the side of the hosts.
pub const GATEWAY: &str = "192.0.2.1";
/// The gateway's IPv6 address towards the hosts.
pub const GATEWAY_V6: &str = "2001:db8:1::1";
/// What a host reaches so as to be repaired.
pub const REMEDIATION: &str = "198.51.100.10";
/// A server like any other.
pub const SERVER: &str = "198.51.100.80";
/// The same server by IPv6.
pub const SERVER_V6: &str = "2001:db8:2::80";

/// Cables: the interface of a place at one end, and at the other.
const CABLES: [[(&str, &str); 2]; 4] = [
    [("laptop", "eth0"), ("switch", "laptop")],
    [("desktop", "eth0"), ("switch", "desktop")],
    [("gateway", "lan0"), ("switch", "gateway")],
    [("gateway", "wan0"), ("servers", "eth0")],
];

/// What `ip` is to do in each place, once the cables are there.
const SETUP: [(&str, &[&str]); 5] = [
    (
        "laptop",
        &[
            "link set eth0 address 02:00:00:00:00:11 up",
            "addr add 192.0.2.11/24 dev eth0",
            "addr add 2001:db8:1::11/64 dev eth0 nodad",
            "route add 0.0.0.0/0 via 192.0.2.1",
            "route add ::/0 via 2001:db8:1::1",
        ],
    ),
    (
        "desktop",
        &[
            "link set eth0 address 02:00:00:00:00:12 up",
            "addr add 192.0.2.12/24 dev eth0",
            "addr add 2001:db8:1::12/64 dev eth0 nodad",
            "route add 0.0.0.0/0 via 192.0.2.1",
            "route add ::/0 via 2001:db8:1::1",
        ],
    ),
    (
        "switch",
        &[
            "link add lan type bridge",
            "link set lan up",
            "link set laptop master lan up",
            "link set desktop master lan up",
            "link set gateway master lan up",
        ],
    ),
    (
        "gateway",
        &[
            "link set lo up",
            "link set lan0 address 02:00:00:00:00:01 up",
            "link set wan0 up",
            "addr add 192.0.2.1/24 dev lan0",
            "addr add 2001:db8:1::1/64 dev lan0 nodad",
            "addr add 198.51.100.1/24 dev wan0",
            "addr add 2001:db8:2::1/64 dev wan0 nodad",
        ],
    ),
    (
        "servers",
        &[
            "link set eth0 up",
            "addr add 198.51.100.80/24 dev eth0",
            "addr add 198.51.100.10/24 dev eth0",
            "addr add 2001:db8:2::80/64 dev eth0 nodad",
            "route add 0.0.0.0/0 via 198.51.100.1",
            "route add ::/0 via 2001:db8:2::1",
        ],
    ),
];

/// Static addresses are usable at once, nobody listens to router advertisements, and none is kept from
/// pinging.
const QUIET: [(&str, &str); 4] = [
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
];

const FORWARD: [(&str, &str); 2] = [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")];

/// Two hosts, a gateway and its servers. Removed when dropped.
pub struct Lan {
    /// The host 192.0.2.11.
    pub laptop: Host,
    /// The host 192.0.2.12.
    pub desktop: Host,
    /// Where the gateway is to run.
    pub gateway: Namespace,
    // Before the namespace that they are in.
    _servers: Servers,
    /// What connects the hosts with the gateway; its port towards the gateway is called `gateway`.
    pub switch: Namespace,
    /// Where the servers are.
    pub behind: Namespace,
}

impl Lan {
    /// Builds one beside those of other tests.
    pub fn new() -> anyhow::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let places = SETUP.map(|(place, _)| {
            Namespace::new(format!("enforcer-{}-{number}-{place}", process::id()))
        });
        let [laptop, desktop, switch, gateway, behind] = places;
        let places = [laptop?, desktop?, switch?, gateway?, behind?];
        for place in &places {
            // Before the cables: interfaces begin with what is the default then.
            place.set(&QUIET)?;
        }
        ip(&[], &cables(&places))?;
        for ((_, lines), place) in SETUP.iter().zip(&places) {
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            ip(&["-n", place.name()], &lines)?;
        }
        let [laptop, desktop, switch, gateway, behind] = places;
        gateway.set(&FORWARD)?;
        take_frames_of_xdp(&switch)?;
        look_into_no_packet(&switch)?;
        Ok(Self {
            laptop: Host::new(laptop, 11),
            desktop: Host::new(desktop, 12),
            _servers: Servers::start(&behind)?,
            gateway,
            switch,
            behind,
        })
    }
}

impl Lan {
    /// Takes the gateway's interface towards the hosts away.
    pub fn unplug(&self) -> anyhow::Result<()> {
        let lines = ["link delete lan0".to_owned()];
        ip(&["-n", self.gateway.name()], &lines)
    }

    /// Puts one of the same name there, which is not switched on yet.
    pub fn plug(&self) -> anyhow::Result<()> {
        let switch = self.switch.name();
        let cable = format!("link add lan0 type veth peer name gateway netns {switch}");
        ip(&["-n", self.gateway.name()], &[cable])
    }

    /// Switches it on, as it was at first.
    pub fn switch_on(&self) -> anyhow::Result<()> {
        let port = ["link set gateway master lan up".to_owned()];
        ip(&["-n", self.switch.name()], &port)?;
        take_frames_of_xdp(&self.switch)?;
        let (_, lines) = SETUP[3];
        let of_lan = lines.iter().filter(|line| line.contains("lan0"));
        let lines: Vec<_> = of_lan.map(ToString::to_string).collect();
        ip(&["-n", self.gateway.name()], &lines)
    }
}

fn cables(places: &[Namespace]) -> Vec<String> {
    let namespace = |wanted: &str| {
        let at = SETUP.iter().position(|(place, _)| *place == wanted);
        places[at.expect("a place of SETUP")].name()
    };
    let cable = |[(here, name), (there, peer)]: [(&str, &str); 2]| {
        let (here, there) = (namespace(here), namespace(there));
        format!("link add {name} netns {here} type veth peer name {peer} netns {there}")
    };
    CABLES.into_iter().map(cable).collect()
}

/// Frames that the gateway's XDP program sends back arrive only where the other end of the cable
/// polls, which `gro` switches on.
fn take_frames_of_xdp(switch: &Namespace) -> anyhow::Result<()> {
    let mut ethtool = switch.command("ethtool");
    output(ethtool.args(["-K", "gateway", "gro", "on"])).map(drop)
}

/// No switch drops a packet for its IP header. Linux's bridge does, where bridge netfilter is there.
fn look_into_no_packet(switch: &Namespace) -> anyhow::Result<()> {
    let is_there = switch.enter(|| Path::new("/proc/sys/net/bridge").exists());
    if !is_there {
        return Ok(());
    }
    switch.set(&[
        ("bridge/bridge-nf-call-iptables", "0"),
        ("bridge/bridge-nf-call-ip6tables", "0"),
        ("bridge/bridge-nf-call-arptables", "0"),
    ])
}

/// Hands lines to one `ip`, which is much quicker than one for each.
fn ip(args: &[&str], lines: &[String]) -> anyhow::Result<()> {
    let mut command = Command::new("ip");
    command
        .args(args)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("`ip` could not be started")?;
    let mut stdin = child.stdin.take().context("`ip` has no input")?;
    stdin.write_all(lines.join("\n").as_bytes())?;
    drop(stdin);
    let done = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(
        done.status.success(),
        "`ip` refused one of {lines:#?}: {said}"
    );
    Ok(())
}

/// A port of a machine.
///
/// # Panics
///
/// When the text is no address.
pub fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().expect("an address"), port)
}
