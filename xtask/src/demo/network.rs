//! The network: two clients on a switch, a gateway, and two server networks behind it.
//!
//! ```text
//! laptop ──┐
//!          switch ── lan0 gateway wan0 ── servers: web server, management server
//! desktop ─┘              gateway fix0 ── repair: remediation server
//! ```

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::addresses::{
    DESKTOP, GATEWAY_FIX, GATEWAY_LAN, GATEWAY_WAN, LAPTOP, MANAGEMENT, Pair, REMEDIATION, WEB,
};
use super::namespace::output;
use super::site::Site;

/// Every place, each a network namespace.
pub(super) const PLACES: [&str; 6] = [
    "laptop", "desktop", "switch", "gateway", "servers", "repair",
];

/// Cables: the interface of a place at one end, and at the other.
const CABLES: [[(&str, &str); 2]; 5] = [
    [("laptop", "eth0"), ("switch", "laptop")],
    [("desktop", "eth0"), ("switch", "desktop")],
    [("gateway", "lan0"), ("switch", "gateway")],
    [("gateway", "wan0"), ("servers", "eth0")],
    [("gateway", "fix0"), ("repair", "eth0")],
];

/// The addresses of each interface.
const ADDRESSES: [(&str, &str, &[Pair]); 7] = [
    ("laptop", "eth0", &[LAPTOP]),
    ("desktop", "eth0", &[DESKTOP]),
    ("gateway", "lan0", &[GATEWAY_LAN]),
    ("gateway", "wan0", &[GATEWAY_WAN]),
    ("gateway", "fix0", &[GATEWAY_FIX]),
    ("servers", "eth0", &[MANAGEMENT, WEB]),
    ("repair", "eth0", &[REMEDIATION]),
];

/// The gateway that each place sends to what it does not know.
const ROUTES: [(&str, Pair); 4] = [
    ("laptop", GATEWAY_LAN),
    ("desktop", GATEWAY_LAN),
    ("servers", GATEWAY_WAN),
    ("repair", GATEWAY_FIX),
];

/// Static addresses are usable at once, and nobody listens to router advertisements.
const QUIET: [(&str, &str); 4] = [
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
];

const FORWARD: [(&str, &str); 2] = [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")];

/// Builds all of it.
pub(super) fn build(site: &Site) -> Result<()> {
    for place in PLACES {
        let name = site.namespace(place);
        output(Command::new("ip").args(["netns", "add", name.name()]))?;
        name.set(&QUIET)?;
    }
    site.namespace("gateway").set(&FORWARD)?;
    ip(&[], &cables(site))?;
    for place in PLACES {
        ip(&["-n", site.namespace(place).name()], &lines(place))?;
    }
    take_frames_of_xdp(site)
}

fn cables(site: &Site) -> Vec<String> {
    let cable = |[(here, name), (there, peer)]: [(&str, &str); 2]| {
        let (here, there) = (site.namespace(here), site.namespace(there));
        let (here, there) = (here.name(), there.name());
        format!("link add {name} netns {here} type veth peer name {peer} netns {there}")
    };
    CABLES.into_iter().map(cable).collect()
}

/// What `ip` is to do in one place.
fn lines(place: &str) -> Vec<String> {
    let mut lines = vec!["link set lo up".to_owned()];
    if place == "switch" {
        lines.push("link add lan type bridge".to_owned());
        lines.push("link set lan up".to_owned());
    }
    for (_, name) in CABLES.iter().flatten().filter(|(at, _)| *at == place) {
        if place == "switch" {
            lines.push(format!("link set {name} master lan"));
        }
        lines.push(format!("link set {name} up"));
    }
    for (_, name, pairs) in ADDRESSES.iter().filter(|(at, ..)| *at == place) {
        for Pair { v4, v6 } in *pairs {
            lines.push(format!("addr add {v4}/24 dev {name}"));
            lines.push(format!("addr add {v6}/64 dev {name} nodad"));
        }
    }
    for (_, Pair { v4, v6 }) in ROUTES.iter().filter(|(at, _)| *at == place) {
        lines.push(format!("route add 0.0.0.0/0 via {v4}"));
        lines.push(format!("route add ::/0 via {v6}"));
    }
    lines
}

/// Frames that the gateway's XDP program sends back arrive only where the other end of the cable
/// polls, which `gro` switches on.
fn take_frames_of_xdp(site: &Site) -> Result<()> {
    let mut ethtool = site.namespace("switch").command("ethtool");
    output(ethtool.args(["-K", "gateway", "gro", "on"])).map(drop)
}

/// Hands lines to one `ip`, which is much quicker than one for each.
fn ip(args: &[&str], lines: &[String]) -> Result<()> {
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
        "`ip` refused one of\n{}\n{said}",
        lines.join("\n")
    );
    Ok(())
}
