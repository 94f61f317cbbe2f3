//! Roles, apart from their rules.

use super::{
    super::{
        Action, Choice, Config, Role,
        compile::{EVERYONE, is_built_in},
    },
    Fault, Findings,
};
use enforcer_common::role::RoleId;

const BUILT_IN: [&str; RoleId::BUILT_IN.len()] = {
    let mut names = [""; RoleId::BUILT_IN.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = RoleId::BUILT_IN[index].1;
        index += 1;
    }
    names
};

/// Roles of hosts that may pass.
const TRUSTED: [&str; 2] = ["authorized", "bypass"];

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    for (name, role) in &config.roles {
        if let Some(fault) = fault(name, role) {
            findings.add(format!("role.{name}"), fault);
        }
    }
    if let Some(fault) = unknown_role(config, &config.lease.expired) {
        findings.add("lease.expired", fault);
    }
}

/// What is wrong with the name of a role wherever it stands: that there is none.
pub(super) fn unknown_role(config: &Config, role: &str) -> Option<Fault> {
    if is_built_in(role) || config.roles.contains_key(role) {
        return None;
    }
    let own = config.roles.keys().filter(|name| !is_built_in(name));
    let names: Vec<_> = BUILT_IN
        .into_iter()
        .chain(own.map(String::as_str))
        .collect();
    Some(Fault::UnknownRole {
        role: role.to_owned(),
        choice: Choice::of(role, &names),
    })
}

fn fault(name: &str, role: &Role) -> Option<Fault> {
    if !is_name(name) {
        return Some(Fault::RoleName {
            role: name.to_owned(),
        });
    }
    // Nothing else tells a new role from a misspelt one, whose rules would never be asked.
    if !is_built_in(name) && role.default.is_none() {
        return Some(Fault::NewRole {
            role: name.to_owned(),
            choice: Choice::of(name, &BUILT_IN),
        });
    }
    let denied = TRUSTED.contains(&name) && role.default == Some(Action::Deny);
    denied.then(|| Fault::TrustedDenied {
        role: name.to_owned(),
    })
}

fn is_name(name: &str) -> bool {
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name != EVERYONE && name.chars().all(sound)
}
