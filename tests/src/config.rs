//! Configurations of gateways under test.

use std::fmt::Write;

use crate::{lan::REMEDIATION, site::Site};

/// What a configuration says beside where things are.
pub struct Config {
    /// `enforce` or `monitor`.
    pub mode: &'static str,
    /// Room for hosts.
    pub host_capacity: u32,
    /// How long decisions hold when the management server is silent.
    pub lease: &'static str,
    /// The keys and sections that name management servers; without them, the embedded one.
    pub servers: String,
    /// More keys.
    pub keys: String,
    /// More sections.
    pub sections: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: "enforce",
            host_capacity: 4096,
            lease: "180s",
            servers: String::new(),
            keys: String::new(),
            sections: String::new(),
        }
    }
}

impl Config {
    /// The file. The directories are those of the site; hosts are in the zone `lan`.
    pub fn text(&self, site: &Site) -> String {
        let Self {
            mode,
            host_capacity,
            lease,
            servers,
            keys,
            sections,
        } = self;
        let servers = if servers.is_empty() {
            "[management.embedded]"
        } else {
            servers
        };
        let mut text = format!("mode = \"{mode}\"\nhost_capacity = {host_capacity}\n");
        let directories = [
            ("state_dir", site.path("state")),
            ("run_dir", site.path("run")),
            ("pin_dir", site.pin_dir()),
        ];
        for (key, path) in directories {
            let _infallible = writeln!(text, "{key} = \"{}\"", path.display());
        }
        let _infallible = write!(
            text,
            r#"{keys}
[[interface]]
name = "lan0"
zone = "lan"

[[scope]]
prefix = "192.0.2.0/24"
action = "checked"

[[role.quarantine.rule]]
to = ["{REMEDIATION}/32"]
protocol = "tcp"
ports = ["80"]

[management]
lease = "{lease}"

{servers}

[portal]
organisation = "Example Ltd"
{sections}
"#
        );
        text
    }
}
