//! What hosts report of themselves.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::host::Host;

/// A report.
pub struct Posture {
    name: &'static str,
    firewall: bool,
    addresses: Vec<String>,
    mac: Option<&'static str>,
    second: Option<(&'static str, &'static str)>,
}

impl Posture {
    /// Of a device that complies.
    pub fn good(name: &'static str) -> Self {
        Self {
            name,
            firewall: true,
            addresses: Vec::new(),
            mac: None,
            second: None,
        }
    }

    /// Of a device whose firewall is off.
    pub fn bad(name: &'static str) -> Self {
        Self {
            firewall: false,
            ..Self::good(name)
        }
    }

    /// Claims an address beside its own.
    #[must_use]
    pub fn claiming(mut self, address: IpAddr) -> Self {
        self.addresses.push(address.to_string());
        self
    }

    /// Claims to have this MAC address instead of its own.
    #[must_use]
    pub fn behind(mut self, mac: &'static str) -> Self {
        self.mac = Some(mac);
        self
    }

    /// Has a second interface, with this MAC address and this address.
    #[must_use]
    pub fn with_second(mut self, mac: &'static str, address: &'static str) -> Self {
        self.second = Some((mac, address));
        self
    }

    /// The name of the device.
    pub(crate) fn name(&self) -> &str {
        self.name
    }

    /// The report of a host.
    pub(crate) fn document(&self, host: &Host) -> Value {
        let own = host.v4.to_string();
        let addresses: Vec<_> = std::iter::once(&own).chain(&self.addresses).collect();
        let mut interfaces = vec![json!({
            "name": "eth0",
            "mac": self.mac.unwrap_or(&host.mac),
            "addresses": addresses,
        })];
        interfaces.extend(
            self.second.map(
                |(mac, address)| json!({ "name": "eth1", "mac": mac, "addresses": [address] }),
            ),
        );
        json!({
            "version": 1,
            "device": { "id": format!("id-{}", self.name), "name": self.name, "owner": "ada" },
            "os": { "family": "linux", "name": "debian", "version": "12.11" },
            "missing_updates": [],
            "software": [],
            "services": [],
            "settings": { "firewall": self.firewall, "disk_encrypted": true },
            "interfaces": interfaces,
        })
    }
}
