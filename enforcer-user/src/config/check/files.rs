//! Files and users that the configuration names.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use nix::unistd;

use super::{super::Config, Fault, Findings};

/// The bits by which users that neither own a file nor are in its group may use it.
const OTHERS: u32 = 0o007;

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    let management = &config.management;
    if let Ok(servers) = management.servers() {
        for server in servers.remote() {
            let (certificate, key) = server.certificate.unzip();
            let secrets = [("token_file", server.token_file), ("client_key", key)];
            for (name, path) in secrets {
                if let Some(fault) = path.and_then(secret) {
                    findings.add(format!("{}.{name}", server.key), fault);
                }
            }
            if let Some(fault) = certificate.and_then(unreadable) {
                findings.add(format!("{}.client_certificate", server.key), fault);
            }
        }
    }
    let policy = management
        .embedded
        .as_ref()
        .and_then(|embedded| embedded.policy.as_deref());
    if let Some(fault) = policy.and_then(unreadable) {
        findings.add("management.embedded.policy", fault);
    }
    for (key, name) in [
        ("control.group", &config.control.group),
        ("control.readers", &config.control.readers),
    ] {
        if let Some(name) = name.clone().filter(|name| !is_group(name)) {
            findings.add(key, Fault::NoSuchGroup { name });
        }
    }
    let name = &config.user.name;
    if !matches!(unistd::User::from_name(name), Ok(Some(_))) {
        let name = name.clone();
        findings.add("user.name", Fault::NoSuchUser { name });
    }
}

fn is_group(name: &str) -> bool {
    matches!(unistd::Group::from_name(name), Ok(Some(_)))
}

pub(super) fn secret(path: &Path) -> Option<Fault> {
    if let Some(fault) = unreadable(path) {
        return Some(fault);
    }
    let open = fs::metadata(path).is_ok_and(|found| found.permissions().mode() & OTHERS != 0);
    open.then(|| Fault::OpenSecret {
        path: path.to_owned(),
    })
}

pub(super) fn unreadable(path: &Path) -> Option<Fault> {
    let cause = File::open(path).err()?;
    Some(Fault::File {
        path: path.to_owned(),
        cause,
    })
}
