//! The operating system: `os-release`, and the kernel's release.

use std::fs;

use enforcer_protocol::posture::{Os, OsFamily};

/// In the order in which os-release(5) has them read.
const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// This operating system.
pub fn this() -> Os {
    let release = OS_RELEASE
        .iter()
        .find_map(|path| fs::read(path).ok())
        .unwrap_or_default();
    let (name, version) = parse(&String::from_utf8_lossy(&release));
    let version = match name.as_str() {
        // Debian's os-release has no point release.
        "debian" => fs::read_to_string("/etc/debian_version")
            .ok()
            .and_then(|text| point_release(&text))
            .unwrap_or(version),
        _ => version,
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    let kernel = kernel.map(|text| text.trim().to_owned());
    Os {
        family: OsFamily::Linux,
        name,
        version,
        kernel,
    }
}

/// Name and version in an os-release file. Rolling distributions have no version.
fn parse(text: &str) -> (String, String) {
    let value = |key: &str| {
        let mut assignments = text.lines().filter_map(|line| line.trim().split_once('='));
        // As in a shell, the last one counts.
        assignments
            .rfind(|(name, _)| *name == key)
            .map(|(_, value)| unquote(value))
    };
    let name = value("ID").unwrap_or_else(|| "linux".to_owned());
    (name, value("VERSION_ID").unwrap_or_default())
}

/// Takes away the quotes and backslashes that a shell would.
fn unquote(value: &str) -> String {
    let quote = value
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''));
    let inner = quote
        .and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value);
    if quote == Some('\'') {
        return inner.to_owned();
    }
    let mut characters = inner.chars();
    let mut plain = String::with_capacity(inner.len());
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' {
            characters.next()
        } else {
            Some(character)
        });
    }
    plain
}

/// `12.11` of a stable Debian; nothing of `trixie/sid`.
fn point_release(text: &str) -> Option<String> {
    let version = text.trim();
    version
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n\
        NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\n\
        VERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n";

    #[test]
    fn known_distributions() {
        let known = |text| {
            let (name, version) = parse(text);
            format!("{name} {version}")
        };
        assert_eq!(known(DEBIAN), "debian 12");
        assert_eq!(
            known("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\n"),
            "alpine 3.20.3"
        );
        assert_eq!(
            known("ID='opensuse-leap'\r\nVERSION_ID='15.6'\r\n"),
            "opensuse-leap 15.6"
        );
        assert_eq!(known("# rolling\nID=arch\nBUILD_ID=rolling\n"), "arch ");
        assert_eq!(known(""), "linux ");
    }

    #[test]
    fn quotes_and_backslashes() {
        assert_eq!(unquote(r#""a \"b\" \\ c""#), r#"a "b" \ c"#);
        assert_eq!(unquote(r"'a\b'"), r"a\b");
        assert_eq!(unquote("\""), "\"");
        assert_eq!(unquote("\\"), "");
    }

    #[test]
    fn point_releases() {
        assert_eq!(point_release("12.11\n").as_deref(), Some("12.11"));
        assert_eq!(point_release("trixie/sid\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_parse(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_value_parses(value in r#"["'\\ a-z0-9é=]{0,40}"#) {
            parse(&format!("ID={value}\nVERSION_ID={value}"));
        }
    }
}
