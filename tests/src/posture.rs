//! What hosts report of themselves.

use serde_json::{Value, json};

use crate::host::Host;

/// A report.
pub struct Posture {
    name: &'static str,
    firewall: bool,
    addresses: Vec<String>,
    mac: Option<&'static str>,
}

impl Posture {
    /// Of a device that complies.
    pub fn good(name: &'static str) -> Self {
        Self {
            name,
            firewall: true,
            addresses: Vec::new(),
            mac: None,
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
    pub fn claiming(mut self, address: impl ToString) -> Self {
        self.addresses.push(address.to_string());
        self
    }

    /// Claims to have this MAC address instead of its own.
    #[must_use]
    pub fn behind(mut self, mac: &'static str) -> Self {
        self.mac = Some(mac);
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
        json!({
            "version": 1,
            "device": { "id": format!("id-{}", self.name), "name": self.name, "owner": "ada" },
            "os": { "family": "linux", "name": "debian", "version": "12.11" },
            "missing_updates": [],
            "software": [],
            "services": [],
            "settings": { "firewall": self.firewall, "disk_encrypted": true },
            "interfaces": [{
                "name": "eth0",
                "mac": self.mac.unwrap_or(&host.mac),
                "addresses": addresses,
            }],
        })
    }
}
