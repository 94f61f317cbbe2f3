//! Roles: names, numbers and what they mean.

use enforcer_common::{
    limits,
    role::{RoleId, RoleRow, RuleSet},
};
use ipnet::IpNet;

use super::{
    super::{Action, Config, Role},
    CompileError,
};

/// The most roles that a configuration may add.
pub(super) const MAX_OWN: usize = (RoleId::EVERYONE.0 - RoleId::FIRST_OWN.0) as usize;

/// The name under which everyone's rules appear; no role may have it.
pub(in crate::config) const EVERYONE: &str = "everyone";

/// The names of the roles by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleNames {
    names: Vec<Option<String>>,
}

impl RoleNames {
    /// The built-in roles and those of the configuration: with the numbers that they had before, and those that
    /// are new in the order of their names.
    pub(super) fn of(config: &Config, before: Option<&Self>) -> Result<Self, CompileError> {
        let mut names = vec![None; usize::from(limits::ROLES)];
        let built_in = RoleId::BUILT_IN
            .into_iter()
            .chain([(RoleId::EVERYONE, EVERYONE)]);
        for (role, name) in built_in {
            names[usize::from(role.0)] = Some(name.to_owned());
        }
        let own: Vec<_> = config
            .roles
            .keys()
            .filter(|name| !is_built_in(name))
            .collect();
        if own.len() > MAX_OWN {
            return Err(CompileError::TooManyRoles { count: own.len() });
        }
        let kept = |name: &str| before.and_then(|before| before.id(name));
        let (old, new): (Vec<_>, Vec<_>) = own.into_iter().partition(|name| kept(name).is_some());
        for name in old {
            let number = kept(name).map(|role| usize::from(role.0));
            if let Some(slot) = number.and_then(|number| names.get_mut(number)) {
                *slot = Some(name.clone());
            }
        }
        // Rows may still name a role that is no more: another one takes its number only when there is no other left.
        let was = |number: usize| before.is_some_and(|before| before.names[number].is_some());
        let own = usize::from(RoleId::FIRST_OWN.0)..usize::from(RoleId::EVERYONE.0);
        let free = own.filter(|number| names[*number].is_none());
        let (worn, fresh): (Vec<_>, Vec<_>) = free.partition(|number| was(*number));
        for (number, name) in fresh.into_iter().chain(worn).zip(new) {
            names[number] = Some(name.clone());
        }
        Ok(Self { names })
    }

    /// The names that were kept, by number; those that no role of a configuration can have are left out.
    pub fn kept(kept: impl IntoIterator<Item = (u8, String)>) -> Self {
        let mut names = vec![None; usize::from(limits::ROLES)];
        for (number, name) in kept {
            if (RoleId::FIRST_OWN.0..RoleId::EVERYONE.0).contains(&number) {
                names[usize::from(number)] = Some(name);
            }
        }
        Self { names }
    }

    /// The name of a role; `unassigned` for a number that no role has.
    pub fn name(&self, role: RoleId) -> &str {
        let name = self
            .names
            .get(usize::from(role.0))
            .and_then(Option::as_deref);
        name.unwrap_or("unassigned")
    }

    /// The number of a role that hosts can have.
    pub fn id(&self, name: &str) -> Option<RoleId> {
        self.iter()
            .find(|(_, own)| *own == name)
            .map(|(role, _)| role)
    }

    /// Every role that hosts can have.
    pub fn iter(&self) -> impl Iterator<Item = (RoleId, &str)> {
        let roles = (0..RoleId::EVERYONE.0).map(RoleId);
        roles
            .zip(&self.names)
            .filter_map(|(role, name)| Some((role, name.as_deref()?)))
    }

    pub(super) fn require(&self, name: &str) -> Result<RoleId, CompileError> {
        self.id(name).ok_or_else(|| CompileError::UnknownRole {
            role: name.to_owned(),
        })
    }
}

/// Whether every gateway has this role.
pub(in crate::config) fn is_built_in(name: &str) -> bool {
    RoleId::BUILT_IN
        .iter()
        .any(|(_, built_in)| *built_in == name)
}

/// A row for every number of a role.
pub(super) fn rows(
    config: &Config,
    names: &RoleNames,
    rules: &[(RoleId, IpNet, RuleSet)],
) -> Vec<(RoleId, RoleRow)> {
    let ids = (0..=RoleId::EVERYONE.0).map(RoleId);
    let row = |role: RoleId| {
        let has_rules = rules.iter().any(|(owner, ..)| *owner == role);
        let written = config.roles.get(names.name(role));
        RoleRow::new(meaning(role, written, names) | flag(has_rules, RoleRow::RULES))
    };
    ids.map(|role| (role, row(role))).collect()
}

/// What a role means apart from its rules. Hosts of a number that no role has are stopped.
fn meaning(role: RoleId, written: Option<&Role>, names: &RoleNames) -> u32 {
    if role == RoleId::EVERYONE || !names.iter().any(|(id, _)| id == role) {
        return 0;
    }
    let (action, told) = match role {
        RoleId::AUTHORIZED | RoleId::BYPASS => (Action::Allow, false),
        RoleId::DENIED => (Action::Deny, false),
        _ => (Action::Deny, true),
    };
    let written = written.cloned().unwrap_or_default();
    let allow = written.default.unwrap_or(action) == Action::Allow;
    flag(allow, RoleRow::ALLOW)
        | flag(written.portal.unwrap_or(told), RoleRow::PORTAL)
        | flag(written.reject.unwrap_or(told), RoleRow::REJECT)
        | flag(written.monitor.unwrap_or(false), RoleRow::MONITOR)
}

const fn flag(set: bool, flag: u32) -> u32 {
    if set { flag } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("e.toml".as_ref(), text).expect("a configuration")
    }

    #[test]
    fn built_in_roles_mean_what_they_say() {
        let compiled = config("")
            .compile(&[])
            .expect("a configuration that compiles");
        let told = RoleRow::PORTAL | RoleRow::REJECT;
        let meanings = [
            (RoleId::UNKNOWN, told),
            (RoleId::AUTHORIZED, RoleRow::ALLOW),
            (RoleId::QUARANTINE, told),
            (RoleId::DENIED, 0),
            (RoleId::BYPASS, RoleRow::ALLOW),
            (RoleId(7), 0),
            (RoleId::EVERYONE, 0),
        ];
        assert_eq!(compiled.role_rows.len(), usize::from(limits::ROLES));
        for (role, flags) in meanings {
            assert!(
                compiled.role_rows.contains(&(role, RoleRow::new(flags))),
                "{role:?}"
            );
        }
    }

    #[test]
    fn own_roles_are_numbered_by_name_and_built_in_ones_adjusted() {
        let text = "
            [role.printers]
            default = 'allow'
            reject = false
            portal = false
            [role.guests]
            default = 'deny'
            monitor = true
            [[role.quarantine.rule]]
            to = ['192.0.2.1/32']
        ";
        let compiled = config(text)
            .compile(&[])
            .expect("a configuration that compiles");
        let told = RoleRow::PORTAL | RoleRow::REJECT;
        let meanings = [
            ("guests", RoleId(8), told | RoleRow::MONITOR),
            ("printers", RoleId(9), RoleRow::ALLOW),
            ("quarantine", RoleId::QUARANTINE, told | RoleRow::RULES),
        ];
        for (name, role, flags) in meanings {
            assert_eq!(compiled.roles.id(name), Some(role));
            assert_eq!(compiled.roles.name(role), name);
            assert!(
                compiled.role_rows.contains(&(role, RoleRow::new(flags))),
                "{name}"
            );
        }
        assert_eq!(compiled.roles.id("everyone"), None);
        assert_eq!(compiled.roles.name(RoleId(10)), "unassigned");
    }

    #[test]
    fn roles_keep_the_numbers_that_they_had() {
        let own = |names: &[&str]| {
            let roles = names
                .iter()
                .map(|name| format!("[role.{name}]\ndefault = 'deny'\n"));
            config(&roles.collect::<String>())
        };
        let before = own(&["guests", "printers"])
            .compile(&[])
            .expect("it compiles");
        let after = own(&["cameras", "printers"]);
        let after = after
            .compile_after(&[], &before.roles)
            .expect("it compiles");
        assert_eq!(after.roles.id("printers"), before.roles.id("printers"));
        assert_eq!(
            after.roles.id("cameras"),
            Some(RoleId(10)),
            "not that of the guests"
        );
        assert_eq!(after.roles.name(RoleId(8)), "unassigned");
        let kept = after
            .roles
            .iter()
            .map(|(role, name)| (role.0, name.to_owned()));
        let again = own(&["cameras", "printers"]);
        let again = again
            .compile_after(&[], &RoleNames::kept(kept))
            .expect("it compiles");
        assert_eq!(again.roles, after.roles);
        // When there is no other number left, an old one is taken.
        let many: Vec<_> = (0..MAX_OWN).map(|number| format!("r{number}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let full = own(&many)
            .compile_after(&[], &after.roles)
            .expect("it compiles");
        assert_eq!(full.roles.iter().count(), RoleId::BUILT_IN.len() + MAX_OWN);
    }

    #[test]
    fn too_many_roles_are_refused() {
        use std::fmt::Write;
        let text = (0..=MAX_OWN).fold(String::new(), |mut text, number| {
            let _ = writeln!(text, "[role.r{number}]\ndefault = 'deny'");
            text
        });
        let error = config(&text).compile(&[]).expect_err("too many");
        assert_eq!(error, CompileError::TooManyRoles { count: MAX_OWN + 1 });
    }
}
