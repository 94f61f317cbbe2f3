//! What a kernel itself counts, to hold the gateway's counters against.

use std::fs;

use anyhow::{Context, Result};

use super::namespace::Namespace;

/// Packets over UDP and TCP that left a namespace's sockets, and that came to them.
///
/// Over TCP, since a connection that an earlier step cut off repeats its last words for a while.
#[derive(Clone, Copy)]
pub(super) struct Traffic {
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Traffic {
    /// What the sockets of a namespace have sent and received so far over IPv4, and TCP over IPv6.
    pub(super) fn of(namespace: &Namespace) -> Result<Self> {
        let list = file(namespace, "snmp")?;
        let count = |protocol, name| {
            counter(&list, protocol, name).with_context(|| format!("no {protocol} {name}"))
        };
        Ok(Self {
            sent: count("Udp:", "OutDatagrams")? + count("Tcp:", "OutSegs")?,
            received: count("Udp:", "InDatagrams")? + count("Tcp:", "InSegs")?,
        })
    }
}

/// How many packets an interface has received.
pub(super) fn received(namespace: &Namespace, interface: &str) -> Result<u64> {
    let list = file(namespace, "dev")?;
    let found = list.lines().find_map(|line| {
        let (name, counts) = line.trim_start().split_once(':')?;
        let packets = counts.split_whitespace().nth(1)?;
        (name == interface).then(|| packets.parse().ok()).flatten()
    });
    found.with_context(|| format!("{} has no {interface}", namespace.name()))
}

/// A list of the thread, which is in the namespace: that of the process is another one.
fn file(namespace: &Namespace, name: &str) -> Result<String> {
    Ok(namespace.enter(|| fs::read_to_string(format!("/proc/thread-self/net/{name}")))??)
}

/// A counter of a protocol: the names stand in one line, the values in the next.
fn counter(list: &str, protocol: &str, name: &str) -> Option<u64> {
    let mut lines = list.lines().filter(|line| line.starts_with(protocol));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split(' ').position(|word| word == name)?;
    values.split(' ').nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name() {
        let list = "Tcp: InSegs OutSegs\nTcp: 5 6\nUdp: InDatagrams\nUdp: 7\n";
        assert_eq!(counter(list, "Tcp:", "OutSegs"), Some(6));
        assert_eq!(counter(list, "Udp:", "InDatagrams"), Some(7));
        assert_eq!(counter(list, "Udp:", "OutSegs"), None);
        assert_eq!(counter(list, "Icmp:", "InMsgs"), None);
    }
}
