//! Updates that the distribution offers and this endpoint lacks, from the indexes that it has. Nothing
//! is fetched: a machine without indexes does not know what it lacks, which is not "nothing".

use std::fs;

use enforcer_protocol::posture::{Severity, Update};

use super::{command, packages::PackageSystem};

const APT_LISTS: &str = "/var/lib/apt/lists";
const APK_INDEXES: [&str; 2] = ["/var/cache/apk", "/etc/apk/cache"];

/// Updates that are missing.
pub async fn missing() -> Option<Vec<Update>> {
    match PackageSystem::here()? {
        PackageSystem::Dpkg if has_file(APT_LISTS, "_Packages") => {
            // Simulated without the lock: needs no root, and does not disturb apt at its work.
            let arguments = ["-s", "-o", "Debug::NoLocking=1", "dist-upgrade"];
            Some(parse_apt(&command::output("apt-get", &arguments).await?))
        }
        PackageSystem::Apk if APK_INDEXES.iter().any(|path| has_file(path, "APKINDEX")) => Some(
            parse_apk(&command::output("apk", &["version", "-l", "<"]).await?),
        ),
        PackageSystem::Dpkg | PackageSystem::Apk => None,
        PackageSystem::Rpm => {
            let arguments = ["-q", "-C", "updateinfo", "list"];
            Some(parse_dnf(&command::output("dnf", &arguments).await?))
        }
    }
}

/// Whether the directory has a file with this in its name.
fn has_file(directory: &str, part: &str) -> bool {
    let Ok(entries) = fs::read_dir(directory) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().contains(part))
}

/// `Inst NAME [OLD] (NEW ORIGIN:VERSION/SUITE, … [ARCHITECTURE]) …`. What is new with an upgrade has
/// no `[OLD]`, and is not missing.
fn parse_apt(text: &str) -> Vec<Update> {
    let update = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(" [")?;
        let (old, rest) = rest.split_once("] (")?;
        let (new, origins) = rest.split_once(')')?.0.split_once(' ')?;
        // The archive says that an update is one of security, but not how grave.
        let secure = |origin: &str| origin.trim_end_matches(',').ends_with("-security");
        let security = origins.split_whitespace().any(secure);
        Some(Update {
            id: format!("{name} {new}"),
            severity: if security {
                Severity::Important
            } else {
                Severity::Unspecified
            },
            title: format!("{name} from {old} to {new}"),
        })
    };
    text.lines().filter_map(update).collect()
}

/// `NAME-OLD < NEW`, under a header. Alpine gives no severity.
fn parse_apk(text: &str) -> Vec<Update> {
    let update = |line: &str| {
        let mut words = line.split_whitespace();
        let (installed, sign, new) = (words.next()?, words.next()?, words.next()?);
        (sign == "<").then_some(())?;
        let (rest, revision) = installed.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        Some(Update {
            id: format!("{name} {new}"),
            severity: Severity::Unspecified,
            title: format!("{name} from {version}-{revision} to {new}"),
        })
    };
    text.lines().filter_map(update).collect()
}

/// `ADVISORY SEVERITY/Sec. PACKAGE` or `ADVISORY KIND PACKAGE` of dnf 4,
/// `ADVISORY KIND SEVERITY PACKAGE DATE TIME` of dnf 5.
fn parse_dnf(text: &str) -> Vec<Update> {
    let update = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (advisory, severity, package) = match words[..] {
            [
                advisory,
                "security" | "bugfix" | "enhancement" | "newpackage",
                package,
            ] => (advisory, "None", package),
            [advisory, graded, package] => (advisory, graded.strip_suffix("/Sec.")?, package),
            [advisory, kind, severity, package, _, _] if kind != "Type" => {
                (advisory, severity, package)
            }
            _ => return None,
        };
        Some(Update {
            id: package.to_owned(),
            severity: parse_severity(severity),
            title: advisory.to_owned(),
        })
    };
    text.lines().filter_map(update).collect()
}

fn parse_severity(text: &str) -> Severity {
    match text {
        "Critical" => Severity::Critical,
        "Important" => Severity::Important,
        "Moderate" => Severity::Moderate,
        "Low" => Severity::Low,
        _ => Severity::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const APT: &str = "\
Reading package lists...
130 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian:12.15/oldstable [amd64])
Conf bash (5.2.15-2+b13 Debian:12.15/oldstable [amd64])
Inst libgcrypt20-dev [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst libpam-modules [1.5.2-6] (1.5.2-7 Debian:12.15/oldstable [amd64]) [libpam-runtime:amd64 on libpam-modules:amd64] []
Inst linux-image-6.8.0-63-generic (6.8.0-63.66 Ubuntu:24.04/noble-security [amd64])
Inst openssl [3.0.13-0ubuntu3.5] (3.0.13-0ubuntu3.6 Ubuntu:24.04/noble-security [amd64])
";

    fn brief(updates: &[Update]) -> Vec<String> {
        updates
            .iter()
            .map(|update| format!("{} {:?}", update.id, update.severity))
            .collect()
    }

    #[test]
    fn apt_simulation() {
        let updates = parse_apt(APT);
        let expected = [
            "bash 5.2.15-2+b13 Unspecified",
            "libgcrypt20-dev 1.10.1-3+deb12u1 Important",
            "libpam-modules 1.5.2-7 Unspecified",
            "openssl 3.0.13-0ubuntu3.6 Important",
        ];
        assert_eq!(brief(&updates), expected);
        assert_eq!(updates[0].title, "bash from 5.2.15-2+b8 to 5.2.15-2+b13");
    }

    #[test]
    fn apk_versions() {
        let text = "Installed:                    Available:\n\
            busybox-1.36.1-r2             < 1.36.1-r29\n\
            ca-certificates-bundle-2023-r0 < 2024-r1\n";
        let updates = parse_apk(text);
        let expected = [
            "busybox 1.36.1-r29 Unspecified",
            "ca-certificates-bundle 2024-r1 Unspecified",
        ];
        assert_eq!(brief(&updates), expected);
        assert_eq!(updates[0].title, "busybox from 1.36.1-r2 to 1.36.1-r29");
    }

    #[test]
    fn dnf_4_and_5() {
        let four = "FEDORA-2023-1 Important/Sec. openssl-1:3.0.9-2.fc38.x86_64\n\
            FEDORA-2023-2 Unknown/Sec.   vim-minimal-2:9.0-1.fc38.x86_64\n\
            FEDORA-2023-3 bugfix         bash-5.2.15-3.fc38.x86_64\n";
        let expected = [
            "openssl-1:3.0.9-2.fc38.x86_64 Important",
            "vim-minimal-2:9.0-1.fc38.x86_64 Unspecified",
            "bash-5.2.15-3.fc38.x86_64 Unspecified",
        ];
        assert_eq!(brief(&parse_dnf(four)), expected);

        let five = "Name          Type     Severity  Package                        Issued\n\
            FEDORA-2024-1 security Moderate  curl-8.6.0-8.fc40.x86_64   2024-05-01 01:02:03\n\
            FEDORA-2024-2 bugfix   None      nano-7.2-7.fc40.x86_64     2024-05-02 01:02:03\n";
        let expected = [
            "curl-8.6.0-8.fc40.x86_64 Moderate",
            "nano-7.2-7.fc40.x86_64 Unspecified",
        ];
        assert_eq!(brief(&parse_dnf(five)), expected);
    }

    #[test]
    fn chatter_is_no_update() {
        let text = "Last metadata expiration check: 0:54:46 ago on Thu Mar 16 09:40:27 2023.\n\n";
        assert!(parse_dnf(text).is_empty());
        assert!(
            parse_apt("0 upgraded, 0 newly installed.\nInst\nInst a [\nInst a [1] (\n").is_empty()
        );
        assert!(parse_apk("a < b\n<\n").is_empty());
    }

    proptest! {
        #[test]
        fn any_lines_parse(text in r"(Inst |[a-z]{1,4}|[\[\]()<:/ -]|\n|é){0,60}") {
            parse_apt(&text);
            parse_apk(&text);
            parse_dnf(&text);
        }
    }
}
