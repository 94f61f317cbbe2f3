//! What becomes of hosts when something fails.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        self, MapAccess, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
};

/// Whether hosts that a failure concerns are stopped or pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// They are stopped.
    #[default]
    Closed,
    /// They pass; those that were stopped by a decision stay so.
    Open,
}

impl Way {
    /// Whether hosts pass.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }
}

/// `fail = "closed"` or `"open"`, or `[fail]` with a way for each condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fail {
    /// A source has been silent for longer than its lease.
    pub lease_expired: Way,
    /// The management server has not answered about a host in time.
    pub no_answer: Way,
    /// The kernel's tables do not take what is decided.
    pub table_full: Way,
    /// Nothing has come from the management server since the machine was started.
    pub startup: Way,
}

impl Fail {
    /// The same way in every condition.
    pub const fn all(way: Way) -> Self {
        Self {
            lease_expired: way,
            no_answer: way,
            table_full: way,
            startup: way,
        }
    }
}

/// `[fail]`: where a condition is absent, `default` counts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(default)]
    default: Way,
    lease_expired: Option<Way>,
    no_answer: Option<Way>,
    table_full: Option<Way>,
    startup: Option<Way>,
}

impl From<Section> for Fail {
    fn from(section: Section) -> Self {
        let way = |own: Option<Way>| own.unwrap_or(section.default);
        Self {
            lease_expired: way(section.lease_expired),
            no_answer: way(section.no_answer),
            table_full: way(section.table_full),
            startup: way(section.startup),
        }
    }
}

impl<'de> Deserialize<'de> for Fail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrTable;

        impl<'de> Visitor<'de> for WordOrTable {
            type Value = Fail;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"closed\", \"open\", or a section `[fail]`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Fail, E> {
                Way::deserialize(StrDeserializer::new(word)).map(Fail::all)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fail, A::Error> {
                Section::deserialize(MapAccessDeserializer::new(map)).map(Fail::from)
            }
        }

        deserializer.deserialize_any(WordOrTable)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<Fail, String> {
        let config = Config::parse(Path::new("e.toml"), text);
        config
            .map(|config| config.fail)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn one_word_is_for_all_and_a_section_for_each() {
        assert_eq!(read(""), Ok(Fail::all(Way::Closed)));
        assert_eq!(read("fail = \"open\""), Ok(Fail::all(Way::Open)));
        let but_one = Fail {
            no_answer: Way::Closed,
            ..Fail::all(Way::Open)
        };
        let section = "[fail]\ndefault = \"open\"\nno_answer = \"closed\"";
        assert_eq!(read(section), Ok(but_one));
    }

    #[test]
    fn what_is_misspelt_is_named() {
        assert_eq!(
            read("fail = \"opne\"").expect_err("no way"),
            "e.toml:1:8: `fail` cannot be `opne`; did you mean `open`?"
        );
        let error = read("[fail]\nlease_expried = \"open\"").expect_err("no condition");
        assert!(error.contains("did you mean `lease_expired`?"), "{error}");
    }
}
