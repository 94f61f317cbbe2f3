//! What decides beside the management server.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::value::{self, ValueError};

/// `[source]`: what decides beside the management server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// Lists of hosts in files.
    #[serde(rename = "file")]
    pub files: Vec<FileSource>,
}

/// `[[source.file]]`: a list of hosts in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileSource {
    /// Its name, for operators.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How long its decisions hold when it cannot be read; absent: no longer than it can be.
    #[serde(default, deserialize_with = "lease", serialize_with = "write_lease")]
    pub lease: Option<Duration>,
    /// How much it counts against other sources: the one with the highest number decides.
    #[serde(default)]
    pub priority: u8,
    /// How many of its hosts a new version may leave out without being read a second time.
    #[serde(default)]
    pub max_shrink: Share,
}

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    value::duration(deserializer).map(Some)
}

#[expect(clippy::ref_option, reason = "serde hands out the field as it is")]
fn write_lease<S: Serializer>(lease: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match lease {
        Some(lease) => value::write_duration(lease, serializer),
        None => serializer.serialize_none(),
    }
}

/// A share in whole percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// Whether `part` is more than this share of `whole`.
    pub const fn is_exceeded(self, part: usize, whole: usize) -> bool {
        part as u128 * 100 > whole as u128 * self.0 as u128
    }
}

impl Default for Share {
    fn default() -> Self {
        Self(30)
    }
}

impl FromStr for Share {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let number = text.trim().strip_suffix('%').map(str::trim_end);
        let percent = number.and_then(|number| number.parse().ok());
        match percent {
            Some(percent @ 0..=100) => Ok(Self(percent)),
            _ => Err(ValueError::Share(text.to_owned())),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_percents() {
        let share: Share = "30%".parse().expect("a share");
        assert_eq!(share, Share::default());
        assert!(!share.is_exceeded(3, 10) && share.is_exceeded(4, 10));
        assert!(share.is_exceeded(1, 0), "more than nothing of nothing");
        for text in ["", "30", "%", "101%", "-1%", "a%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
