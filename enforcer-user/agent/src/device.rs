//! Which device this is.

use std::{fs, io};

use enforcer_protocol::posture::Device;

const MACHINE_ID: &str = "/etc/machine-id";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Why this device cannot be told from others.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// There is no machine identifier.
    #[error(
        "{MACHINE_ID} cannot be read, so this device cannot be told from others; \
         run `systemd-machine-id-setup`, or give --device-id"
    )]
    NoMachineId(#[source] io::Error),
    /// The machine identifier is empty, or was never set.
    #[error(
        "{MACHINE_ID} holds no machine identifier (32 hexadecimal digits); \
         run `systemd-machine-id-setup`, or give --device-id"
    )]
    BadMachineId,
    /// The host name cannot be read.
    #[error("{HOST_NAME} cannot be read; is /proc mounted?")]
    NoHostName(#[source] io::Error),
}

/// This device: under `id` when one is given, else under its machine identifier.
pub fn this(id: Option<String>, owner: Option<String>) -> Result<Device, DeviceError> {
    let id = id.map_or_else(machine_id, Ok)?;
    let name = fs::read_to_string(HOST_NAME).map_err(DeviceError::NoHostName)?;
    Ok(Device {
        id,
        name: name.trim().to_owned(),
        owner,
    })
}

fn machine_id() -> Result<String, DeviceError> {
    let text = fs::read_to_string(MACHINE_ID).map_err(DeviceError::NoMachineId)?;
    parse_machine_id(&text).ok_or(DeviceError::BadMachineId)
}

/// Images meant for copying carry an empty file or `uninitialized`: no identity at all.
fn parse_machine_id(text: &str) -> Option<String> {
    let id = text.trim();
    let valid = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_ids() {
        let id = "3d1219c7c4c5404aaa1f6d2a48adfda4";
        assert_eq!(parse_machine_id(&format!("{id}\n")).as_deref(), Some(id));
        for text in ["", "uninitialized\n", "3d1219c7", &"é".repeat(16)] {
            assert_eq!(parse_machine_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_given_id_counts() {
        let device = this(Some("printer-7".into()), Some("Ada".into())).unwrap();
        assert_eq!(device.id, "printer-7");
        assert_eq!(device.owner.as_deref(), Some("Ada"));
        assert!(!device.name.is_empty());
    }
}
