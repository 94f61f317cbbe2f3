//! What decides beside the management server.

use std::{collections::HashSet, fs::File};

use enforcer_common::{host::SourceId, limits};

use super::{
    super::{Config, FileSource},
    Fault, Findings, MIN_LEASE,
};

/// Names that sources have already.
const TAKEN: [&str; 3] = ["gateway", "operator", "management"];

/// How many sources the configuration may name: the kernel has a row for each.
const MOST: usize = limits::SOURCES - SourceId::FIRST_NAMED.0 as usize;

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    let files = &config.sources.files;
    if files.len() > MOST {
        let (count, most) = (files.len(), MOST);
        findings.add("source", Fault::TooManySources { count, most });
    }
    let mut names = HashSet::new();
    for (number, file) in files.iter().enumerate() {
        let key = |key: &str| format!("source.file[{number}].{key}");
        let FileSource { name, path, .. } = file;
        if !is_name(name) {
            let name = name.clone();
            findings.add(key("name"), Fault::SourceName { name });
        } else if TAKEN.contains(&&**name) || !names.insert(name) {
            let name = name.clone();
            findings.add(key("name"), Fault::SourceTwice { name });
        }
        if path.is_relative() {
            let path = path.clone();
            findings.add(key("path"), Fault::RelativePath { path });
        }
        if let Some(lease) = file.lease.filter(|lease| *lease < MIN_LEASE) {
            findings.add(key("lease"), Fault::ShortLease { lease });
        }
    }
}

/// Files that are not there now are no reason not to enforce.
pub(super) fn check_machine(config: &Config, findings: &mut Findings<'_>) {
    for (number, file) in config.sources.files.iter().enumerate() {
        if let Err(cause) = File::open(&file.path) {
            let path = file.path.clone();
            let key = format!("source.file[{number}].path");
            findings.add(key, Fault::SourceFile { path, cause });
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_letter = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.');
    (1..=32).contains(&name.len()) && name.chars().all(is_letter)
}
