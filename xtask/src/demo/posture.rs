//! What the clients report of themselves.

use serde_json::{Value, json};

use super::addresses::Pair;

/// How a client is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Upkeep {
    /// Everything is as it should be.
    Good,
    /// An update is missing and the firewall is off.
    Neglected,
}

/// The posture of a client with these addresses behind this MAC address.
pub(super) fn document(name: &str, addresses: Pair, mac: &str, upkeep: Upkeep) -> Value {
    let missing = match upkeep {
        Upkeep::Good => json!([]),
        Upkeep::Neglected => json!([{
            "id": "openssl 3.0.17-1",
            "severity": "important",
            "title": "OpenSSL security update",
        }]),
    };
    json!({
        "version": 1,
        "device": { "id": format!("demo-{name}"), "name": name, "owner": "demo" },
        "os": { "family": "linux", "name": "debian", "version": "12.11" },
        "missing_updates": missing,
        "software": [{ "name": "openssh-client", "version": "9.2" }],
        "services": ["ssh"],
        "settings": { "firewall": upkeep == Upkeep::Good, "disk_encrypted": true },
        "interfaces": [{ "name": "eth0", "mac": mac, "addresses": addresses.both() }],
    })
}
