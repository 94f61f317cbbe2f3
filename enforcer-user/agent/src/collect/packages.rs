//! Installed software, from the package system of the distribution.

use std::{collections::BTreeSet, fs, path::Path};

use enforcer_protocol::posture::Software;

use super::command;

/// A package system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageSystem {
    /// Debian and its descendants.
    Dpkg,
    /// Alpine.
    Apk,
    /// Red Hat, SUSE and their descendants.
    Rpm,
}

const DPKG_STATUS: &str = "/var/lib/dpkg/status";
const APK_INSTALLED: &str = "/lib/apk/db/installed";
/// `rpm` keeps its database in one of these, newest first.
pub const RPM_DATABASES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];

impl PackageSystem {
    /// The one that this machine is run by: a Debian may have `rpm` installed as a mere tool.
    pub fn here() -> Option<Self> {
        if Path::new(DPKG_STATUS).exists() {
            return Some(Self::Dpkg);
        }
        if Path::new(APK_INSTALLED).exists() {
            return Some(Self::Apk);
        }
        RPM_DATABASES
            .iter()
            .any(|path| Path::new(path).exists())
            .then_some(Self::Rpm)
    }
}

/// Installed packages, by name.
pub async fn installed() -> Option<Vec<Software>> {
    let packages = match PackageSystem::here()? {
        PackageSystem::Dpkg => parse_dpkg(&read(DPKG_STATUS)?),
        PackageSystem::Apk => parse_apk(&read(APK_INSTALLED)?),
        PackageSystem::Rpm => {
            let format = r"%{NAME}\t%{EVR}\n";
            parse_rpm(&command::output("rpm", &["-qa", "--queryformat", format]).await?)
        }
    };
    let software = packages
        .into_iter()
        .map(|(name, version)| Software { name, version });
    Some(software.collect())
}

fn read(path: &str) -> Option<String> {
    let bytes = fs::read(path)
        .inspect_err(|error| tracing::debug!(path, %error, "cannot be read"))
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Name and version, each once though several architectures of it be installed.
type Packages = BTreeSet<(String, String)>;

/// Paragraphs of fields; only what is wholly installed counts, not what has left its settings behind.
fn parse_dpkg(text: &str) -> Packages {
    let installed = |paragraph: &str| {
        let status = field(paragraph, "Status: ")?;
        (status.split_whitespace().nth(2) == Some("installed")).then_some(())?;
        Some((
            field(paragraph, "Package: ")?,
            field(paragraph, "Version: ")?,
        ))
    };
    text.split("\n\n").filter_map(installed).collect()
}

/// Paragraphs of fields named by one letter.
fn parse_apk(text: &str) -> Packages {
    let package = |paragraph: &str| Some((field(paragraph, "P:")?, field(paragraph, "V:")?));
    text.split("\n\n").filter_map(package).collect()
}

fn field(paragraph: &str, name: &str) -> Option<String> {
    let value = paragraph.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().to_owned())
}

/// Lines of name and version. Signing keys are kept as packages, too, and are none.
fn parse_rpm(text: &str) -> Packages {
    let package = |line: &str| {
        let (name, version) = line.split_once('\t')?;
        (name != "gpg-pubkey").then(|| (name.to_owned(), version.to_owned()))
    };
    text.lines().filter_map(package).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DPKG: &str = "\
Package: adduser
Status: install ok installed
Priority: important
Multi-Arch: foreign
Version: 3.134
Conffiles:
 /etc/adduser.conf cc3493ecd2d09837ffdcc3e25fdfff18
Description: add and remove users and groups
 This package includes the 'adduser' and 'deluser' commands.
 .
 Version: of a description is none

Package: libc6
Status: hold ok installed
Architecture: amd64
Version: 2.36-9+deb12u10

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9+deb12u10

Package: nano
Status: deinstall ok config-files
Version: 7.2-1

Package: half
Status: install reinstreq half-installed
Version: 1
";

    const APK: &str = "\
C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:alpine-baselayout
V:3.6.5-r0
A:x86_64
F:dev
R:shm

C:Q1abc=
P:busybox
V:1.36.1-r29
";

    fn words(packages: &Packages) -> Vec<String> {
        packages
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect()
    }

    #[test]
    fn dpkg_status() {
        assert_eq!(
            words(&parse_dpkg(DPKG)),
            ["adduser 3.134", "libc6 2.36-9+deb12u10"]
        );
    }

    #[test]
    fn apk_database() {
        assert_eq!(
            words(&parse_apk(APK)),
            ["alpine-baselayout 3.6.5-r0", "busybox 1.36.1-r29"]
        );
    }

    #[test]
    fn rpm_list() {
        let text =
            "bash\t5.2.26-3.fc40\nopenssl-libs\t1:3.2.1-2.fc40\ngpg-pubkey\ta15b79cc-63d04c2c\n";
        assert_eq!(
            words(&parse_rpm(text)),
            ["bash 5.2.26-3.fc40", "openssl-libs 1:3.2.1-2.fc40"]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_parse(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = String::from_utf8_lossy(&bytes);
            parse_dpkg(&text);
            parse_apk(&text);
            parse_rpm(&text);
        }

        #[test]
        fn any_lines_parse(lines in prop::collection::vec("(Package: |Status: |Version: |P:|V:|\t)?[a-z ]{0,9}", 0..20)) {
            let text = lines.join("\n");
            parse_dpkg(&text);
            parse_apk(&text);
            parse_rpm(&text);
        }
    }
}
