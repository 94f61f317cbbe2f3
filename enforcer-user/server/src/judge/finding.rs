//! What one check finds in a posture.

use enforcer_protocol::posture::{Posture, Severity, Software};

use crate::policy::{Check, Pattern, Version};

/// How many items a finding names before it only counts the others.
const NAMED: usize = 5;
/// How much of an item's name a finding shows.
const NAME_CHARACTERS: usize = 80;

/// What a check finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// What it asks holds.
    Satisfied,
    /// It does not; what was found instead, if that says more than the rule's own text.
    Failed(Option<String>),
    /// The posture does not say this.
    Unknown(&'static str),
}

/// Looks for what `check` asks.
pub fn find(check: &Check, posture: &Posture) -> Finding {
    match check {
        Check::MinimumOs { name, version } => minimum_os(posture, name.as_deref(), version),
        Check::MissingUpdates { severity, ignore } => missing_updates(posture, *severity, ignore),
        Check::Firewall => setting(posture.settings.firewall, "whether its firewall is on"),
        Check::DiskEncrypted => setting(
            posture.settings.disk_encrypted,
            "whether its disk is encrypted",
        ),
        Check::ForbiddenSoftware { names, below } => with_software(posture, |software| {
            forbidden(software, names, below.as_ref())
        }),
        Check::RequiredSoftware { any_of, minimum } => with_software(posture, |software| {
            required(software, any_of, minimum.as_ref())
        }),
    }
}

fn setting(value: Option<bool>, asked: &'static str) -> Finding {
    match value {
        Some(true) => Finding::Satisfied,
        Some(false) => Finding::Failed(None),
        None => Finding::Unknown(asked),
    }
}

fn minimum_os(posture: &Posture, name: Option<&str>, minimum: &Version) -> Finding {
    let os = &posture.os;
    if name.is_some_and(|name| !name.eq_ignore_ascii_case(&os.name)) {
        return Finding::Satisfied;
    }
    match Version::new(&os.version) {
        Err(_) => Finding::Unknown("which version its operating system has"),
        Ok(version) if version.at_least(minimum) => Finding::Satisfied,
        Ok(version) => Finding::Failed(Some(format!(
            "it is {}, at least {} is needed",
            printable(version.as_str()),
            minimum.as_str()
        ))),
    }
}

fn missing_updates(posture: &Posture, severity: Severity, ignore: &[Pattern]) -> Finding {
    let Some(updates) = &posture.missing_updates else {
        return Finding::Unknown("which updates it lacks");
    };
    let missing = updates
        .iter()
        .filter(|update| update.severity >= severity && !any(ignore, &update.id))
        .map(|update| printable(&update.id));
    failed_if_any(missing)
}

fn with_software(posture: &Posture, find: impl Fn(&[Software]) -> Finding) -> Finding {
    match &posture.software {
        Some(software) => find(software),
        None => Finding::Unknown("which software it has"),
    }
}

fn forbidden(software: &[Software], names: &[Pattern], below: Option<&Version>) -> Finding {
    let installed = software.iter().filter(|item| any(names, &item.name));
    let Some(below) = below else {
        return failed_if_any(installed.map(|item| printable(&item.name)));
    };
    let mut unversioned = false;
    let old: Vec<_> = installed
        .filter(|item| match Version::new(&item.version) {
            Ok(version) => !version.at_least(below),
            Err(_) => {
                unversioned = true;
                false
            }
        })
        .map(|item| format!("{} {}", printable(&item.name), printable(&item.version)))
        .collect();
    match failed_if_any(old.into_iter()) {
        Finding::Satisfied if unversioned => {
            Finding::Unknown("which versions of its software it has")
        }
        finding => finding,
    }
}

fn required(software: &[Software], any_of: &[Pattern], minimum: Option<&Version>) -> Finding {
    let installed: Vec<_> = software
        .iter()
        .filter(|item| any(any_of, &item.name))
        .collect();
    if installed.is_empty() {
        let wanted: Vec<_> = any_of.iter().map(ToString::to_string).collect();
        return Finding::Failed(Some(format!("none of {} is installed", wanted.join(", "))));
    }
    let Some(minimum) = minimum else {
        return Finding::Satisfied;
    };
    let versions: Vec<_> = installed
        .iter()
        .filter_map(|item| Version::new(&item.version).ok())
        .collect();
    if versions.iter().any(|version| version.at_least(minimum)) {
        return Finding::Satisfied;
    }
    if versions.len() < installed.len() {
        return Finding::Unknown("which versions of its software it has");
    }
    let found = installed
        .iter()
        .map(|item| format!("{} {}", item.name, item.version));
    let found = listed(found.map(|text| printable(&text)));
    Finding::Failed(Some(format!(
        "{found}, at least {} is needed",
        minimum.as_str()
    )))
}

fn any(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

fn failed_if_any(items: impl Iterator<Item = String>) -> Finding {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return Finding::Satisfied;
    }
    Finding::Failed(Some(listed(items)))
}

/// The items in a fixed order, so that a report in another order is no new finding.
fn listed(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<_> = items.collect();
    items.sort_unstable();
    items.dedup();
    let others = items.len().saturating_sub(NAMED);
    items.truncate(NAMED);
    match others {
        0 => items.join(", "),
        others => format!("{} and {others} more", items.join(", ")),
    }
}

/// What an endpoint says reaches people's terminals and pages: short, and without control characters.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(NAME_CHARACTERS)
        .collect()
}
