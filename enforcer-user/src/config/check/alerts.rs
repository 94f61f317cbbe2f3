//! Whom the gateway tells.

mod fault;

use std::{collections::HashSet, fs, io, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use lettre::message::Mailbox;
use nix::unistd;

use super::{
    super::{AlertEntry, AlertKind, Config, MailTls, Track, track},
    Fault, Findings, files,
    roles::unknown_role,
};
pub use fault::AlertFault;

/// How many may be told: each has a spool, and a task that waits for it.
const MOST: usize = 16;

/// The longest name: it is that of a directory.
const LONGEST_NAME: usize = 32;

/// How long a command may run.
const LIMITS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_mins(10);

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    let count = config.alerts.len();
    if count > MOST {
        findings.add("alert", AlertFault::TooMany { count, most: MOST }.into());
    }
    let mut names = HashSet::new();
    for (number, entry) in config.alerts.iter().enumerate() {
        let mut add = |key: &str, fault| findings.add(format!("alert[{number}].{key}"), fault);
        let name = &entry.name;
        if !is_name(name) {
            add("name", AlertFault::Name { name: name.clone() }.into());
        } else if !names.insert(name) {
            add("name", AlertFault::Twice { name: name.clone() }.into());
        }
        if entry.per_minute == 0 {
            add("per_minute", AlertFault::NoRate.into());
        }
        roles(config, entry, &mut add);
        keys(entry, &mut add);
        match entry.kind {
            AlertKind::Mail => mail(entry, &mut add),
            AlertKind::Webhook => webhook(entry, &mut add),
            AlertKind::Command => command(entry, &mut add),
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_letter = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_letter)
}

fn roles(config: &Config, entry: &AlertEntry, add: &mut impl FnMut(&str, Fault)) {
    for (place, role) in entry.roles.iter().enumerate() {
        let key = format!("roles[{place}]");
        if let Some(fault) = unknown_role(config, role) {
            add(&key, fault);
        } else if track::of(config, role) != Track::Alert {
            let role = role.clone();
            add(&key, AlertFault::Untracked { role }.into());
        }
    }
}

/// Keys that mean nothing for this kind, and those that it cannot do without.
fn keys(entry: &AlertEntry, add: &mut impl FnMut(&str, Fault)) {
    let kind = entry.kind;
    for (key, is_there, kinds) in entry.own_keys() {
        if is_there && !kinds.contains(&kind) {
            add(key, AlertFault::Foreign { kind, key }.into());
        }
        let is_needed = match kind {
            AlertKind::Mail => matches!(key, "server" | "from"),
            AlertKind::Webhook => matches!(key, "url" | "key_file"),
            AlertKind::Command => key == "command",
        };
        if is_needed && !is_there {
            add(key, AlertFault::Missing { kind, key }.into());
        }
    }
}

fn mail(entry: &AlertEntry, add: &mut impl FnMut(&str, Fault)) {
    if let Some(server) = entry.server.as_ref().filter(|server| !is_server(server)) {
        let server = server.clone();
        add("server", AlertFault::Server { server }.into());
    }
    if entry.to.is_empty() {
        add("to", AlertFault::NoRecipient.into());
    }
    let to = entry.to.iter().enumerate();
    let to = to.map(|(place, one)| (format!("to[{place}]"), one));
    let from = entry.from.iter().map(|one| ("from".to_owned(), one));
    for (key, text) in from.chain(to) {
        if let Err(cause) = text.parse::<Mailbox>() {
            let text = text.clone();
            add(&key, AlertFault::Address { text, cause }.into());
        }
    }
    let kind = AlertKind::Mail;
    match (&entry.login, &entry.password_file) {
        (Some(_), None) => {
            let key = "password_file";
            add("login", AlertFault::Missing { kind, key }.into());
        }
        (None, Some(_)) => {
            let key = "login";
            add("password_file", AlertFault::Missing { kind, key }.into());
        }
        (Some(_), Some(_)) if entry.tls == Some(MailTls::None) => {
            add("tls", AlertFault::OpenPassword.into());
        }
        _ => {}
    }
}

/// A name or an address alone.
fn is_server(server: &str) -> bool {
    let is_name = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '-');
    let is_address = || server.parse::<std::net::IpAddr>().is_ok();
    !server.is_empty() && (server.chars().all(is_name) || is_address())
}

fn webhook(entry: &AlertEntry, add: &mut impl FnMut(&str, Fault)) {
    let has_secret = |url: &reqwest::Url| url.password().is_some() || !url.username().is_empty();
    if entry.url.as_ref().is_some_and(has_secret) {
        add("url", AlertFault::SecretInUrl.into());
    }
}

fn command(entry: &AlertEntry, add: &mut impl FnMut(&str, Fault)) {
    if let Some(program) = entry.command.first().map(Path::new)
        && program.is_relative()
    {
        let path = program.to_owned();
        add("command", Fault::RelativePath { path });
    }
    if let Some(limit) = entry.limit.filter(|limit| !LIMITS.contains(limit)) {
        add("limit", AlertFault::Limit { limit }.into());
    }
}

/// That somebody cannot be told is no reason not to enforce; that others read a secret is one to stop.
pub(super) fn check_machine(config: &Config, findings: &mut Findings<'_>) {
    for (number, entry) in config.alerts.iter().enumerate() {
        let mut add = |key: &str, fault| findings.add(format!("alert[{number}].{key}"), fault);
        let secrets = [
            ("password_file", &entry.password_file),
            ("key_file", &entry.key_file),
        ];
        for (key, path) in secrets {
            if let Some(fault) = path.as_deref().and_then(files::secret) {
                add(key, absent_or(fault));
            }
        }
        if let Some(fault) = entry.ca_file.as_deref().and_then(files::unreadable) {
            add("ca_file", absent_or(fault));
        }
        if let Some(fault) = entry
            .command
            .first()
            .and_then(|path| program(Path::new(path)))
        {
            add("command", fault.into());
        }
        if let Some(name) = entry.user.as_ref().filter(|name| !is_user(name)) {
            let name = name.clone();
            add("user", AlertFault::User { name }.into());
        }
    }
}

/// Of a file that cannot be read only this is said here.
fn absent_or(fault: Fault) -> Fault {
    match fault {
        Fault::File { path, cause } => AlertFault::File { path, cause }.into(),
        other => other,
    }
}

/// What keeps a program from being run.
fn program(path: &Path) -> Option<AlertFault> {
    let cause = match fs::metadata(path) {
        Err(cause) => cause,
        Ok(found) if !found.is_file() => io::Error::other("it is no file"),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => {
            io::ErrorKind::PermissionDenied.into()
        }
        Ok(_) => return None,
    };
    let path = path.to_owned();
    Some(AlertFault::Program { path, cause })
}

fn is_user(name: &str) -> bool {
    matches!(unistd::User::from_name(name), Ok(Some(_)))
}

#[cfg(test)]
mod tests;
