//! Roles, their rules, and the services that every host reaches.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    track::Track,
    value::{self, PortRange, Protocol},
};

/// What happens to a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It passes.
    #[default]
    Allow,
    /// It is stopped.
    Deny,
}

/// `[role.NAME]`. What is absent keeps the default of a built-in role; a new role says at least its
/// own `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    /// What happens to packets that no rule matches.
    pub default: Option<Action>,
    /// HTTP that is stopped goes to the portal.
    pub portal: Option<bool>,
    /// TCP that is stopped is answered with a reset.
    pub reject: Option<bool>,
    /// Stops are counted and let pass.
    pub monitor: Option<bool>,
    /// What is told of its hosts.
    pub track: Option<Track>,
    /// The rules; the longest prefix counts first, then the order in the file.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}

/// `[[role.NAME.rule]]`: remote addresses, protocol and ports, allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The remote addresses.
    #[serde(deserialize_with = "value::prefixes")]
    pub to: Vec<IpNet>,
    /// The protocol.
    #[serde(default)]
    pub protocol: Protocol,
    /// The remote ports; none named: all.
    #[serde(default)]
    pub ports: Vec<PortRange>,
    /// What happens.
    #[serde(default)]
    pub action: Action,
}

/// `[[service]]`: what every host reaches, whatever its role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The remote addresses.
    #[serde(deserialize_with = "value::prefixes")]
    pub to: Vec<IpNet>,
    /// The protocol.
    #[serde(default)]
    pub protocol: Protocol,
    /// The remote ports; none named: all.
    #[serde(default)]
    pub ports: Vec<PortRange>,
}

impl Service {
    /// The service as the rule that lets it pass.
    pub(super) fn rule(&self) -> Rule {
        Rule {
            to: self.to.clone(),
            protocol: self.protocol,
            ports: self.ports.clone(),
            action: Action::Allow,
        }
    }
}
