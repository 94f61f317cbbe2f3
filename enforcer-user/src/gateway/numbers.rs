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
    let kept = read(&state_dir.join(FILE));
    let are_kept = kept.as_ref() == Some(&Numbers::of(compiled));
    if kept.is_some() && !are_kept {
        tracing::warn!(
            "zones and roles have other numbers than under the last configuration: hosts are unknown \
             until the management server tells of them again"
        );
    }
    are_kept
}

/// Keeps the numbers in the state directory.
pub(super) fn keep(state_dir: &Path, compiled: &Compiled) -> Result<(), GatewayError> {
    let path = state_dir.join(FILE);
    write(&path, &Numbers::of(compiled)).map_err(|error| GatewayError::Numbers { path, error })
}

/// The numbers that were kept; none when the file is new or cannot be understood.
fn read(path: &Path) -> Option<Numbers> {
    let text = fs::read(path).ok()?;
    let numbers = serde_json::from_slice(&text);
    numbers
        .inspect_err(|error| {
            tracing::error!(
                file = %path.display(), %error,
                "the numbers of zones and roles cannot be understood and are written anew: hosts are \
                 unknown until the management server tells of them again"
            );
        })
        .ok()
}

fn write(path: &Path, numbers: &Numbers) -> io::Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec(numbers)?)?;
    fs::rename(fresh, path)
}
