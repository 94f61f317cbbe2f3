//! What is told of the hosts of a role.

use enforcer_common::{limits, role::RoleId};
use serde::{Deserialize, Serialize};

use super::{Config, RoleNames};

/// What is told when a host comes under a role, and when it is stopped under it for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Track {
    /// Nothing.
    None,
    /// A line in the log.
    Log,
    /// The same, and an alert.
    Alert,
}

impl Track {
    /// What counts for a role that does not say it. Hosts that comply are the rule, and anybody can make strangers by the
    /// thousand: neither is news.
    pub(super) fn of_role(name: &str) -> Self {
        match name {
            "quarantine" | "denied" => Self::Alert,
            "authorized" | "bypass" | "unknown" => Self::None,
            _ => Self::Log,
        }
    }
}

/// What is told of the hosts of each role, by its number; of a number that no role has, nothing.
pub(super) fn compile(config: &Config, names: &RoleNames) -> Vec<Track> {
    let mut tracks = vec![Track::None; usize::from(limits::ROLES)];
    for (RoleId(number), name) in names.iter() {
        tracks[usize::from(number)] = of(config, name);
    }
    tracks
}

/// What is told of the hosts of the role with this name.
pub(super) fn of(config: &Config, name: &str) -> Track {
    let written = config.roles.get(name).and_then(|role| role.track);
    written.unwrap_or_else(|| Track::of_role(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_own_or_what_is_usual() {
        let text = "
            [role.quarantine]
            track = 'none'
            [role.unknown]
            track = 'log'
            [role.guests]
            default = 'allow'
            [role.cameras]
            default = 'deny'
            track = 'alert'
        ";
        let config = Config::parse("e.toml".as_ref(), text).expect("a configuration");
        let compiled = config.compile(&[]).expect("it compiles");
        for (name, track) in [
            ("quarantine", Track::None),
            ("unknown", Track::Log),
            ("guests", Track::Log),
            ("cameras", Track::Alert),
            ("denied", Track::Alert),
            ("authorized", Track::None),
            ("bypass", Track::None),
        ] {
            let role = compiled.roles.id(name).expect(name);
            assert_eq!(compiled.track(role), track, "{name}");
        }
        assert_eq!(compiled.track(RoleId(200)), Track::None);
    }
}
