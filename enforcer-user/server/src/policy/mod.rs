//! Policies: what is asked of endpoints, and which role follows from how well they comply.

mod parse;
mod pattern;
mod rule;
mod version;

use enforcer_protocol::judgement::Level;
use serde::Deserialize;

pub use self::{
    parse::PolicyError,
    pattern::Pattern,
    rule::{Check, Failing, Rule, Text},
    version::Version,
};

/// The policy that holds when none is named; also the documented example.
pub const EXAMPLE: &str = include_str!("../../policy.example.toml");

/// A whole policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which role each level gives.
    #[serde(default)]
    pub roles: Roles,
    /// The rules. An endpoint is as bad as the worst of them says.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// Which role each level gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    safe: Text,
    caution: Text,
    warning: Text,
    danger: Text,
    unknown: Text,
}

impl Roles {
    /// The role of an endpoint with this level.
    pub fn of(&self, level: Level) -> &str {
        let role = match level {
            Level::Safe => &self.safe,
            Level::Caution => &self.caution,
            Level::Warning => &self.warning,
            Level::Danger => &self.danger,
            Level::Unknown => &self.unknown,
        };
        role.as_str()
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self {
            safe: "authorized".into(),
            caution: "authorized".into(),
            warning: "quarantine".into(),
            danger: "quarantine".into(),
            unknown: "quarantine".into(),
        }
    }
}
