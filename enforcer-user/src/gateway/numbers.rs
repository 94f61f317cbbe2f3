//! The kernel knows zones and roles by number, and numbers follow from the configuration. What was
//! written under another configuration must not be read by this one.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::GatewayError;
use crate::config::Compiled;

const FILE: &str = "numbers.json";

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Numbers {
    zones: Vec<String>,
    roles: Vec<(u8, String)>,
}

impl Numbers {
    fn of(compiled: &Compiled) -> Self {
        let roles = compiled.roles.iter();
        Self {
            zones: compiled.zones.clone(),
            roles: roles
                .map(|(role, name)| (role.0, name.to_owned()))
                .collect(),
        }
    }
}

/// Whether the numbers that were kept are those of this configuration.
pub(super) fn are_kept(state_dir: &Path, compiled: &Compiled) -> bool {
    let kept = fs::read(state_dir.join(FILE)).ok();
    let kept = kept.and_then(|text| serde_json::from_slice(&text).ok());
    kept == Some(Numbers::of(compiled))
}

/// Keeps the numbers in the state directory.
pub(super) fn keep(state_dir: &Path, compiled: &Compiled) -> Result<(), GatewayError> {
    let path = state_dir.join(FILE);
    write(&path, &Numbers::of(compiled)).map_err(|error| GatewayError::Numbers { path, error })
}

fn write(path: &Path, numbers: &Numbers) -> io::Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec(numbers)?)?;
    fs::rename(fresh, path)
}
