//! Posture: what an endpoint reports of itself.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

/// The version of the document that this crate writes.
pub const VERSION: u32 = 1;

/// The largest report that a server takes, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// What an endpoint says of itself. What is absent is not known, which is not the same as "no".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// [`VERSION`].
    pub version: u32,
    /// Which device this is.
    pub device: Device,
    /// Its operating system.
    pub os: Os,
    /// Updates that it lacks; `None` when it could not find out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_updates: Option<Vec<Update>>,
    /// Installed software; `None` when it could not find out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<Vec<Software>>,
    /// Names of running services; `None` when it could not find out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    /// Settings that policies ask for.
    #[serde(default)]
    pub settings: Settings,
    /// Network interfaces with their addresses: a claim, until the gateway has seen it.
    #[serde(default)]
    pub interfaces: Vec<Interface>,
    /// Whatever else a site wants to judge by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// Which device a posture is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Stable identifier that the endpoint keeps over its lifetime (`/etc/machine-id` on Linux).
    pub id: String,
    /// Host name, for people.
    pub name: String,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// An operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// Which family.
    pub family: OsFamily,
    /// Name of the distribution or edition, such as `debian`.
    #[serde(default)]
    pub name: String,
    /// Version as its vendor writes it, such as `12.5` or `10.0.22631`.
    pub version: String,
    /// Release of the running kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
}

/// Families of operating systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OsFamily {
    /// GNU/Linux.
    Linux,
    /// Microsoft Windows.
    Windows,
    /// Apple macOS.
    Macos,
    /// Apple iOS.
    Ios,
    /// Android.
    Android,
}

/// An update that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Its name, such as `openssl 3.0.11-1` or `KB5034441`.
    pub id: String,
    /// How bad it is to lack it.
    pub severity: Severity,
    /// Title for people.
    #[serde(default)]
    pub title: String,
}

/// Severity of an update, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The distribution gives none.
    Unspecified,
    /// Low.
    Low,
    /// Moderate.
    Moderate,
    /// Important.
    Important,
    /// Critical.
    Critical,
}

/// A piece of installed software.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// Package or product name.
    pub name: String,
    /// Version as its vendor writes it.
    #[serde(default)]
    pub version: String,
}

/// Settings; `None` means not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// A host firewall is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall: Option<bool>,
    /// The system disk is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_encrypted: Option<bool>,
}

/// A network interface of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name there.
    pub name: String,
    /// Its MAC address, `aa:bb:cc:dd:ee:ff`.
    pub mac: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}
