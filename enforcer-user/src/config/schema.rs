//! The keys of the configuration file, apart from roles, rules and the
//! management server.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use enforcer_common::{limits, settings::Scope};
use ipnet::IpNet;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{
    alert::AlertEntry,
    control::Control,
    fail::Fail,
    management::Management,
    nat::Nat,
    places::Places,
    rule::{Role, Service},
    sources::Sources,
    value,
};

/// The whole file. Every key has a default; only `[[interface]]` must be there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether packets are stopped or only counted.
    pub mode: Mode,
    /// Where the embedded server and the gateway keep what outlives a restart.
    pub state_dir: PathBuf,
    /// Where the control socket is.
    pub run_dir: PathBuf,
    /// Where maps and links are pinned, in a BPF file system.
    pub pin_dir: PathBuf,
    /// What a clean stop leaves behind.
    pub on_stop: OnStop,
    /// Prefixes of administrators, who are never checked, so that nobody locks himself out.
    #[serde(deserialize_with = "value::prefixes")]
    pub operators: Vec<IpNet>,
    /// The zones in the order of their numbers; when empty, those of the interfaces.
    pub zones: Vec<String>,
    /// Rows of the hosts table, for each address family.
    pub host_capacity: u32,
    /// What becomes of addresses that no scope names.
    pub default_scope: ScopeAction,
    /// The interfaces under enforcement.
    #[serde(rename = "interface")]
    pub interfaces: Vec<Interface>,
    /// Interfaces that forward and have no hosts behind them: they are not enforced.
    pub uplinks: Vec<String>,
    /// Which addresses are checked.
    #[serde(rename = "scope")]
    pub scopes: Vec<ScopeEntry>,
    /// Hosts that nothing is decided of.
    pub unknown: Unknown,
    /// What becomes of hosts when something fails.
    pub fail: Fail,
    /// What holds after the machine was started, until the sources have spoken.
    pub startup: Startup,
    /// Decisions whose source has gone silent.
    pub lease: Lease,
    /// How often the datapath answers and asks.
    pub limits: Limits,
    /// Roles by name.
    #[serde(rename = "role")]
    pub roles: BTreeMap<String, Role>,
    /// What every host reaches.
    #[serde(rename = "service")]
    pub services: Vec<Service>,
    /// The management server.
    pub management: Management,
    /// Addresses that are translated on the way to it.
    pub nat: Nat,
    /// What decides beside it.
    #[serde(rename = "source")]
    pub sources: Sources,
    /// Whom the gateway tells of what is tracked.
    #[serde(rename = "alert")]
    pub alerts: Vec<AlertEntry>,
    /// The page that stopped users see.
    pub portal: Portal,
    /// The listener for metrics and health.
    pub metrics: Metrics,
    /// Whom the unprivileged children run as.
    pub user: User,
    /// Who may use the control sockets besides root.
    pub control: Control,
    /// The file itself.
    #[serde(skip)]
    pub file: PathBuf,
    /// Where each key stands in it.
    #[serde(skip)]
    pub places: Places,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Monitor,
            state_dir: "/var/lib/enforcer".into(),
            run_dir: "/run/enforcer".into(),
            pin_dir: "/sys/fs/bpf/enforcer".into(),
            on_stop: OnStop::Keep,
            operators: Vec::new(),
            zones: Vec::new(),
            host_capacity: limits::HOSTS,
            default_scope: ScopeAction::Checked,
            interfaces: Vec::new(),
            uplinks: Vec::new(),
            scopes: Vec::new(),
            unknown: Unknown::default(),
            fail: Fail::default(),
            startup: Startup::Closed,
            lease: Lease::default(),
            limits: Limits::default(),
            roles: BTreeMap::new(),
            services: Vec::new(),
            management: Management::default(),
            nat: Nat::default(),
            sources: Sources::default(),
            alerts: Vec::new(),
            portal: Portal::default(),
            metrics: Metrics::default(),
            user: User::default(),
            control: Control::default(),
            file: PathBuf::new(),
            places: Places::default(),
        }
    }
}

/// Whether packets are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Everything passes; what would be stopped is counted.
    Monitor,
    /// What is to be stopped is stopped.
    Enforce,
}

/// What a clean stop leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnStop {
    /// The datapath goes on with what it holds until the leases run out.
    Keep,
    /// The datapath is taken off: everything passes.
    Detach,
}

/// What holds after the machine was started, until the sources have spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Startup {
    /// Nobody is decided.
    Closed,
    /// What was decided last, as long as it would have held.
    LastKnown,
}

/// `[[interface]]`: an interface on the side of the hosts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the configuration"
)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The zone of the hosts behind it.
    #[serde(default = "default_zone")]
    pub zone: String,
    /// Where its ingress is judged.
    #[serde(default)]
    pub hook: HookChoice,
    /// Whether frames without a VLAN are let in.
    #[serde(default = "yes")]
    pub untagged: bool,
    /// The VLANs that are let in.
    #[serde(default, rename = "vlan")]
    pub vlans: Vec<Vlan>,
    /// Whether routers behind it may advertise themselves and redirect.
    #[serde(default)]
    pub routers: bool,
    /// Whether DHCP servers behind it may answer.
    #[serde(default)]
    pub dhcp_servers: bool,
    /// Whether hosts behind it are bound to their MAC addresses.
    #[serde(default = "yes")]
    pub bind_mac: bool,
}

const fn yes() -> bool {
    true
}

/// `[[interface.vlan]]`: a VLAN that an interface lets in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vlan {
    /// Its number; with `inner` that of the outer tag.
    pub id: u16,
    /// The number of the inner tag, where frames have two.
    pub inner: Option<u16>,
    /// The zone of its hosts; absent: that of the interface.
    pub zone: Option<String>,
}

fn default_zone() -> String {
    "lan".to_owned()
}

/// Where the ingress of an interface is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookChoice {
    /// XDP in the driver where it can, else traffic control.
    #[default]
    Auto,
    /// XDP in the driver.
    Xdp,
    /// Traffic control.
    Tc,
    /// XDP behind the driver: slow, and so only by name.
    XdpGeneric,
}

/// `[[scope]]`: addresses and whether they are checked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// The addresses.
    #[serde(deserialize_with = "value::prefix")]
    pub prefix: IpNet,
    /// The zone; absent: every zone.
    pub zone: Option<String>,
    /// Whether they are checked.
    pub action: ScopeAction,
}

/// Whether addresses are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeAction {
    /// They must be decided.
    Checked,
    /// They pass unchecked.
    Bypassed,
    /// They are no hosts of ours.
    Outside,
}

impl From<ScopeAction> for Scope {
    fn from(action: ScopeAction) -> Self {
        match action {
            ScopeAction::Checked => Self::Checked,
            ScopeAction::Bypassed => Self::Bypassed,
            ScopeAction::Outside => Self::Outside,
        }
    }
}

/// `[unknown]`: hosts that nothing is decided of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unknown {
    /// How long an answer is awaited before the host gets the role `unknown`.
    #[serde(
        deserialize_with = "value::duration",
        serialize_with = "value::write_duration"
    )]
    pub timeout: Duration,
    /// Whether the first datagram may go out meanwhile, not only a TCP SYN.
    pub first_datagram: bool,
}

impl Default for Unknown {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            first_datagram: false,
        }
    }
}

/// `[lease]`: decisions whose source has gone silent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lease {
    /// The role that their hosts get.
    pub expired: String,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            expired: "unknown".to_owned(),
        }
    }
}

/// `[limits]`: how often each CPU of the datapath answers and asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Stopped packets a second that are answered by a reset or an ICMP error, and as many connections that are
    /// opened to the portal; the rest is dropped.
    pub replies_per_second: u32,
    /// Unknown hosts a second that are asked about; the rest is held and asks later.
    pub questions_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            replies_per_second: 1_000,
            questions_per_second: 10_000,
        }
    }
}

/// `[portal]`: the page that stopped users see.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Portal {
    /// The port of the gateway on which it answers.
    pub port: u16,
    /// Whose network this is.
    pub organisation: String,
    /// Whom users may ask.
    pub contact: Option<String>,
    /// Where users find help.
    #[serde(deserialize_with = "value::url", serialize_with = "value::write_url")]
    pub help_url: Option<Url>,
}

impl Default for Portal {
    fn default() -> Self {
        Self {
            port: 8480,
            organisation: "This network".to_owned(),
            contact: None,
            help_url: None,
        }
    }
}

/// `[metrics]`: metrics and health over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Where they are served.
    pub listen: SocketAddr,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 9469).into(),
        }
    }
}

/// `[user]`: whom the unprivileged children run as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// The user's name.
    pub name: String,
}

impl Default for User {
    fn default() -> Self {
        Self {
            name: "nobody".to_owned(),
        }
    }
}
