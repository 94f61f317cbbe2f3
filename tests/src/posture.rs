//! What hosts report of themselves.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::host::Host;

/// A report.
pub struct Posture {
    name: &'static str,
    firewall: bool,
    addresses: Vec<String>,
    has_own: bool,
    mac: Option<&'static str>,
    second: Option<(&'static str, Vec<String>)>,
    has_interfaces: bool,
}

impl Posture {
    /// Of a device that complies.
    pub fn good(name: &'static str) -> Self {
        Self {
            name,
            firewall: true,
            addresses: Vec::new(),
            has_own: true,
            mac: None,
            second: None,
            has_interfaces: true,
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

    /// Has these addresses instead of the host's own.
    #[must_use]
    pub fn at(mut self, addresses: &[IpAddr]) -> Self {
        self.addresses = addresses.iter().map(ToString::to_string).collect();
        self.has_own = false;
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
        self.second = Some((mac, vec![address.to_owned()]));
        self
    }

    /// Has a second interface with this MAC address and these addresses.
    #[must_use]
    pub fn with_another(mut self, mac: &'static str, addresses: &[IpAddr]) -> Self {
        let addresses = addresses.iter().map(ToString::to_string).collect();
        self.second = Some((mac, addresses));
        self
    }

    /// Says nothing of its addresses: where it is can only be found out.
    #[must_use]
    pub fn without_addresses(mut self) -> Self {
        self.has_interfaces = false;
        self
    }

    /// The name of the device.
    pub(crate) fn name(&self) -> &str {
        self.name
    }

    /// The report of a host.
    pub(crate) fn document(&self, host: &Host) -> Value {
        let own = host.v4.to_string();
        let own = self.has_own.then_some(&own);
        let addresses: Vec<_> = own.into_iter().chain(&self.addresses).collect();
        let mut interfaces = vec![json!({
            "name": "eth0",
            "mac": self.mac.unwrap_or(&host.mac),
            "addresses": addresses,
        })];
        interfaces.extend(
            self.second.iter().map(
                |(mac, addresses)| json!({ "name": "eth1", "mac": mac, "addresses": addresses }),
            ),
        );
        if !self.has_interfaces {
            interfaces.clear();
        }
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
