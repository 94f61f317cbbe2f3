//! The connection tracking table of a namespace, as `conntrack` shows it.

use std::net::IpAddr;

use crate::namespace::{Namespace, output};

/// Has what leaves a namespace by an interface carry the namespace's own address.
pub fn masquerade(namespace: &Namespace, interface: &str) -> anyhow::Result<()> {
    let rules = format!(
        "add table inet nat
         add chain inet nat out {{ type nat hook postrouting priority srcnat ; }}
         add rule inet nat out oifname {interface} masquerade"
    );
    output(namespace.command("nft").arg(rules)).map(drop)
}

/// Forgets every connection.
pub fn flush(namespace: &Namespace) -> anyhow::Result<()> {
    output(namespace.command("conntrack").arg("-F")).map(drop)
}

/// Adds these rules of nftables.
pub fn rules(namespace: &Namespace, rules: &str) -> anyhow::Result<()> {
    output(namespace.command("nft").arg(rules)).map(drop)
}

/// The entries with this address at either end, each in a line.
pub fn entries(namespace: &Namespace, address: IpAddr) -> anyhow::Result<Vec<String>> {
    let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
    let listed = output(namespace.command("conntrack").args(["-L", "-f", family]))?;
    let source = format!("src={address}");
    let lines = listed.lines();
    let is_it = |line: &&str| line.split(' ').any(|word| word == source);
    Ok(lines.filter(is_it).map(ToOwned::to_owned).collect())
}
