//! Who is told, as the configuration says.

use std::sync::Arc;

use nix::unistd::{User, geteuid};

use super::Alert;
use crate::config::{AlertEntry, AlertKind, AlertWay, Config};

/// Everybody who is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets {
    /// In the order of the configuration.
    pub(super) all: Vec<Arc<Target>>,
}

/// Somebody who is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: AlertKind,
    pub(super) way: AlertWay,
    pub(super) per_minute: u32,
    /// Whom a command runs as.
    pub(super) identity: Identity,
    roles: Vec<String>,
    reasons: Vec<String>,
}

/// Whom a command runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// As the gateway, which is no other's already.
    Own,
    /// As this user and group.
    User(u32, u32),
    /// As a user that is not there.
    Missing(String),
}

impl Targets {
    /// Those of a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let all = config.alerts.iter().filter_map(|entry| {
            // What is incomplete was refused before.
            let way = entry.way()?;
            Some(Arc::new(Target::new(entry, way, &config.user.name)))
        });
        Self { all: all.collect() }
    }
}

impl Target {
    fn new(entry: &AlertEntry, way: AlertWay, unprivileged: &str) -> Self {
        let identity = match &way {
            AlertWay::Command(command) => {
                Identity::of(command.user.as_deref().unwrap_or(unprivileged))
            }
            _ => Identity::Own,
        };
        Self {
            name: entry.name.clone(),
            kind: entry.kind,
            way,
            per_minute: entry.per_minute,
            identity,
            roles: entry.roles.clone(),
            reasons: entry.reasons.clone(),
        }
    }

    /// Whether it is told of this.
    pub(super) fn wants(&self, alert: &Alert) -> bool {
        let role = alert.role.as_deref().unwrap_or_default();
        let mut reasons = alert.reasons.iter().chain(&alert.stop_reason);
        self.wants_role(role)
            && (self.reasons.is_empty() || reasons.any(|reason| self.reasons.contains(reason)))
    }

    /// Whether it is told of hosts of this role.
    pub(super) fn wants_role(&self, role: &str) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|wanted| wanted == role)
    }

    /// Whether what it is not told now waits on the disk.
    pub(super) const fn is_kept(&self) -> bool {
        !matches!(self.kind, AlertKind::Command)
    }
}

impl Identity {
    fn of(name: &str) -> Self {
        if !geteuid().is_root() {
            return Self::Own;
        }
        match User::from_name(name) {
            Ok(Some(user)) => Self::User(user.uid.as_raw(), user.gid.as_raw()),
            _ => Self::Missing(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::alert::tests::alert, *};

    fn target(filters: &str) -> Arc<Target> {
        let text =
            format!("[[alert]]\nname = 'a'\nkind = 'command'\ncommand = ['/bin/true']\n{filters}");
        let config = Config::parse("e.toml".as_ref(), &text).expect("a configuration");
        Targets::of(&config).all[0].clone()
    }

    #[test]
    fn who_wants_what() {
        let mut alert = alert("quarantine");
        for (filters, wants) in [
            ("", true),
            ("roles = ['denied', 'quarantine']", true),
            ("roles = ['denied']", false),
            ("reasons = ['updates']", true),
            ("reasons = ['disk']", false),
            ("roles = ['denied']\nreasons = ['updates']", false),
        ] {
            assert_eq!(target(filters).wants(&alert), wants, "{filters}");
        }
        alert.stop_reason = Some("spoofed".to_owned());
        assert!(target("reasons = ['spoofed']").wants(&alert));
    }
}
