//! The kernel knows zones, roles and sources by number, and numbers follow from the configuration. What was
//! written under another configuration must not be read by this one.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::GatewayError;
use crate::config::{Compiled, Config, RoleNames};

const FILE: &str = "numbers.json";

/// The names in the order of their numbers.
#[derive(Debug, Serialize, Deserialize)]
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

    /// Whether no number means something else in the other ones. What is new has been written nowhere, and what is
    /// no more stops.
    fn agree(&self, other: &Self) -> bool {
        let is_free = |number: u8, name: &str| {
            let mut mine = self.roles.iter();
            mine.all(|(kept, named)| *kept != number || named == name)
        };
        let mut sources = self.sources.iter().zip(&other.sources);
        other.zones.starts_with(&self.zones)
            && sources.all(|(mine, other)| mine == other)
            && other
                .roles
                .iter()
                .all(|(number, name)| is_free(*number, name))
    }

    /// Whether what was written under the numbers that were kept means the same under these.
    pub(super) fn are_kept(&self, state_dir: &Path) -> bool {
        let kept = read(&state_dir.join(FILE));
        let are_kept = kept.as_ref().is_some_and(|kept| kept.agree(self));
        if kept.is_some() && !are_kept {
            tracing::warn!(
                "zones, roles and sources have other numbers than under the last configuration: hosts are unknown \
                 until their sources tell of them again"
            );
        }
        are_kept
    }

    /// Keeps them in the state directory. Rows may still name a role that is no more: its number is kept, too.
    pub(super) fn keep(&self, state_dir: &Path) -> Result<(), GatewayError> {
        let path = state_dir.join(FILE);
        let kept = kept(&path).filter(|kept| kept.agree(self));
        let is_gone = |(number, name): &(u8, String)| {
            let mut roles = self.roles.iter();
            roles.all(|(own, named)| own != number && named != name)
        };
        let gone = kept.into_iter().flat_map(|kept| kept.roles);
        let gone = gone.filter(is_gone).collect::<Vec<_>>();
        let numbers = Self {
            zones: self.zones.clone(),
            roles: self.roles.iter().cloned().chain(gone).collect(),
            sources: self.sources.clone(),
        };
        write(&path, &numbers).map_err(|error| GatewayError::Numbers { path, error })
    }
}

/// The roles by the numbers that were kept, so that they can keep them.
pub(super) fn roles(state_dir: &Path) -> RoleNames {
    let kept = kept(&state_dir.join(FILE));
    RoleNames::kept(kept.map_or_else(Vec::new, |kept| kept.roles))
}

/// The numbers that were kept. What cannot be understood is said when it is asked whether they are.
fn kept(path: &Path) -> Option<Numbers> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(zones: &[&str], roles: &[(u8, &str)], sources: &[&str]) -> Numbers {
        let roles = roles
            .iter()
            .map(|(number, name)| (*number, (*name).to_owned()));
        Numbers {
            zones: zones.iter().map(ToString::to_string).collect(),
            roles: roles.collect(),
            sources: sources.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn only_numbers_that_mean_something_else_are_not_those_that_were_kept() {
        let guests = &[(1, "authorized"), (8, "guests")];
        let more = &[(1, "authorized"), (8, "guests"), (9, "new")];
        let kept = numbers(&["lan"], guests, &["printers", "phones"]);
        for other in [
            numbers(&["lan"], guests, &["printers", "phones"]),
            numbers(&["lan", "guest"], more, &["printers", "phones", "new"]),
            numbers(&["lan"], &[(1, "authorized")], &["printers"]),
        ] {
            assert!(kept.agree(&other), "{other:?}");
        }
        for other in [
            numbers(&["guest", "lan"], guests, &["printers", "phones"]),
            numbers(&[], guests, &[]),
            numbers(&["lan"], &[(8, "printers")], &[]),
            numbers(&["lan"], guests, &["phones"]),
        ] {
            assert!(!kept.agree(&other), "{other:?}");
        }
    }

    #[test]
    fn the_number_of_a_role_that_is_no_more_stays_taken() {
        let directory = tempfile::tempdir().expect("a directory");
        let keep = |roles| {
            let numbers = numbers(&["lan"], roles, &[]);
            numbers.keep(directory.path()).expect("written");
            roles_of(directory.path())
        };
        let named = |number, name: &str| (number, name.to_owned());
        assert_eq!(keep(&[(8, "guests")]), [named(8, "guests")]);
        let both = [named(9, "new"), named(8, "guests")];
        assert_eq!(keep(&[(9, "new")]), both);
        // Back under another number, and another role under its own.
        assert_eq!(
            keep(&[(9, "guests"), (8, "new")]),
            [named(9, "guests"), named(8, "new")]
        );
    }

    fn roles_of(state_dir: &Path) -> Vec<(u8, String)> {
        kept(&state_dir.join(FILE)).expect("numbers").roles
    }
}
