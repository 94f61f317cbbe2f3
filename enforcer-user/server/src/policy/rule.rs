//! Rules: what a policy asks of an endpoint.

use std::fmt;

use enforcer_protocol::{
    judgement::Level,
    posture::{OsFamily, Severity},
};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{pattern::Pattern, version::Version};

/// One rule of a policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique in the policy; gateways and people know the rule by it.
    pub name: Spanned<Text>,
    /// The operating systems that it is for; none named means all.
    #[serde(default)]
    pub platforms: Vec<OsFamily>,
    /// What it asks.
    pub check: Check,
    /// The level of an endpoint that fails it.
    pub level: Failing,
    /// The level of an endpoint that does not say enough to tell.
    #[serde(default)]
    pub unknown_level: Level,
    /// What is wrong when it fails, for the person in front of the device.
    pub text: Text,
    /// What that person can do about it.
    pub remedy: Option<String>,
    /// Where help is found.
    pub link: Option<String>,
}

/// What a rule asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// The operating system is recent enough.
    MinimumOs {
        /// Only for the system of this name, such as `debian`.
        name: Option<String>,
        /// The oldest version that will do.
        version: Version,
    },
    /// No update of this severity or above is missing.
    MissingUpdates {
        /// The lowest severity that counts.
        severity: Severity,
        /// Updates that do not count.
        #[serde(default)]
        ignore: Vec<Pattern>,
    },
    /// A firewall is active.
    Firewall,
    /// The system disk is encrypted.
    DiskEncrypted,
    /// None of this software is installed.
    ForbiddenSoftware {
        /// What is forbidden.
        #[serde(deserialize_with = "not_empty")]
        names: Vec<Pattern>,
        /// Forbidden in versions older than this one only.
        below: Option<Version>,
    },
    /// At least one of this software is installed.
    RequiredSoftware {
        /// Any of these will do.
        #[serde(deserialize_with = "not_empty")]
        any_of: Vec<Pattern>,
        /// In this version or a newer one.
        minimum: Option<Version>,
    },
}

/// The levels that a failed rule can give.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failing {
    /// Something to mend, without haste.
    Caution,
    /// Something to mend soon.
    Warning,
    /// A danger to others.
    Danger,
}

impl From<Failing> for Level {
    fn from(failing: Failing) -> Self {
        match failing {
            Failing::Caution => Self::Caution,
            Failing::Warning => Self::Warning,
            Failing::Danger => Self::Danger,
        }
    }
}

/// A text that is not blank.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Text(String);

/// A text that is blank.
#[derive(Debug, thiserror::Error)]
#[error("this must not be blank")]
pub struct Blank;

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl TryFrom<String> for Text {
    type Error = Blank;

    fn try_from(text: String) -> Result<Self, Blank> {
        if text.trim().is_empty() {
            return Err(Blank);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pattern>, D::Error> {
    let patterns = Vec::deserialize(deserializer)?;
    if patterns.is_empty() {
        return Err(serde::de::Error::custom(
            "this list is empty; name at least one",
        ));
    }
    Ok(patterns)
}
