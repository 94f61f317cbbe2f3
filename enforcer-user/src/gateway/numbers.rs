//! The kernel knows zones, roles and sources by number, and numbers follow from the configuration. What was
//! written under another configuration must not be read by this one.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::GatewayError;
use crate::config::{Compiled, Config};

const FILE: &str = "numbers.json";

/// The names in the order of their numbers.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Numbers {
    zones: Vec<String>,
    roles: Vec<(u8, String)>,
    #[serde(default)]
    sources: Vec<String>,
}

impl Numbers {
    /// Those of a configuration.
    pub(super) fn of(config: &Config, compiled: &Compiled) -> Self {
        let roles = compiled.roles.iter();
        let files = config.sources.files.iter();
        Self {
            zones: compiled.zones.clone(),
            roles: roles
                .map(|(role, name)| (role.0, name.to_owned()))
                .collect(),
            sources: files.map(|file| file.name.clone()).collect(),
        }
    }

    /// Whether they are those that were kept.
    pub(super) fn are_kept(&self, state_dir: &Path) -> bool {
        let kept = read(&state_dir.join(FILE));
        let are_kept = kept.as_ref() == Some(self);
        if kept.is_some() && !are_kept {
            tracing::warn!(
                "zones, roles and sources have other numbers than under the last configuration: hosts are unknown \
                 until their sources tell of them again"
            );
        }
        are_kept
    }

    /// Keeps them in the state directory.
    pub(super) fn keep(&self, state_dir: &Path) -> Result<(), GatewayError> {
        let path = state_dir.join(FILE);
        write(&path, self).map_err(|error| GatewayError::Numbers { path, error })
    }
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
