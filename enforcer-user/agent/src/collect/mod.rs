//! Collects the posture of this endpoint (Linux).
//!
//! One file for each part, each a thin reader and a pure parser.

mod command;
mod disk;
mod firewall;
pub(crate) mod interfaces;
mod os;
pub(crate) mod packages;
mod services;
mod updates;

use std::collections::BTreeMap;

use enforcer_protocol::posture::{Device, Posture, Settings, VERSION};

/// The posture of this endpoint now. What could not be found out is absent from it.
pub async fn posture(device: Device) -> Posture {
    let (software, missing_updates, services, firewall) = tokio::join!(
        packages::installed(),
        updates::missing(),
        services::running(),
        firewall::active()
    );
    Posture {
        version: VERSION,
        device,
        os: os::this(),
        missing_updates,
        software,
        services,
        settings: Settings {
            firewall,
            disk_encrypted: disk::encrypted(),
        },
        interfaces: interfaces::with_addresses(),
        attributes: BTreeMap::new(),
    }
}
