//! What an attacker does, with the tools that attackers use.

use std::{
    ffi::OsStr,
    ops::RangeInclusive,
    process::{Command, Stdio},
};

use crate::{host::Host, namespace::output};

/// What is in each packet that is to get past the gateway.
pub const MARK: &str = "smuggled";

/// The longest that a tool runs, in seconds.
const LIMIT: &str = "20";

/// What each script begins with: the layers, the gateway as seen from a host, and how frames are sent.
const PRELUDE: &str = r#"
from scapy.config import conf
conf.ipv6_enabled = True
from scapy.layers.l2 import *
from scapy.layers.inet import *
from scapy.layers.inet6 import *
from scapy.packet import Raw
from scapy.sendrecv import sendp

GATEWAY_MAC = "02:00:00:00:00:01"
GATEWAY, GATEWAY6 = "192.0.2.1", "2001:db8:1::1"
SERVER, SERVER6 = "198.51.100.80", "2001:db8:2::80"
REMEDIATION = "198.51.100.10"
MARK = Raw(b"smuggled")
BROADCAST = "ff:ff:ff:ff:ff:ff"

def frame(source=MAC, destination=GATEWAY_MAC, **rest):
    return Ether(src=source, dst=destination, **rest)

def send(*frames):
    sendp(list(frames), iface="eth0", verbose=False)
"#;

/// Runs a script for scapy on a host, which finds its own addresses in `MAC`, `V4` and `V6`.
pub fn scapy(host: &Host, script: &str) -> anyhow::Result<String> {
    let own = format!(
        "MAC, V4, V6 = {:?}, \"{}\", \"{}\"\n",
        host.mac, host.v4, host.v6
    );
    // Debian's, whatever other Python there is.
    run(
        host,
        "/usr/bin/python3",
        ["-c", &format!("{own}{PRELUDE}{script}")],
    )
}

/// Runs a tool on a host until it ends, and hands out what it says.
pub fn run<S: AsRef<OsStr>>(
    host: &Host,
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> anyhow::Result<String> {
    let mut command = bounded(program, LIMIT);
    command.args(arguments);
    host.namespace.enter(|| output(&mut command))
}

/// Runs a tool that never ends by itself for so many seconds.
pub fn run_for<S: AsRef<OsStr>>(
    host: &Host,
    seconds: &str,
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> anyhow::Result<()> {
    let mut command = bounded(program, seconds);
    command.args(arguments);
    host.namespace.enter(|| command.output())?;
    Ok(())
}

/// Runs all cases of a collection of tricks at once: each waits for seconds for an answer.
pub fn run_cases(
    host: &Host,
    program: &str,
    arguments: &[&str],
    cases: RangeInclusive<u32>,
) -> anyhow::Result<()> {
    let start = |case: u32| {
        let mut command = bounded(program, LIMIT);
        command.args(arguments).arg(case.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.stdin(Stdio::null()).spawn()
    };
    let started: Vec<_> = host.namespace.enter(|| cases.map(start).collect());
    for child in started {
        child?.wait()?;
    }
    Ok(())
}

fn bounded(program: &str, seconds: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", seconds, program]);
    command
}
