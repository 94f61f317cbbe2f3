//! Where each key stands in the file, so that messages can say so.

use std::{collections::BTreeMap, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

/// The places of all keys of a file. Keys are written as paths: `role.quarantine.rule[0].ports`,
/// counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    spans: BTreeMap<String, Spans>,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// Where a key (or an element of a list) and its value stand, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spans {
    key: Range<usize>,
    value: Range<usize>,
}

impl Places {
    /// The places in this text.
    pub(super) fn read(text: &str) -> Result<Self, Error> {
        let mut places = Self::lines_of(text);
        places.table("", DeTable::parse(text)?.get_ref());
        Ok(places)
    }

    /// Only the lines of this text, which may be no TOML.
    pub(crate) fn lines_of(text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            spans: BTreeMap::new(),
            lines: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// The line of a key; of what encloses it when it is not there itself, and `None` when nothing
    /// does.
    pub fn line(&self, key: &str) -> Option<usize> {
        let mut key = key;
        loop {
            if let Some(spans) = self.spans.get(key) {
                return Some(self.position(spans.key.start).0);
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }

    /// Line and column of a byte, counted from 1.
    pub(crate) fn position(&self, byte: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).map_or(0, |line| self.lines[line]);
        (line, byte - start + 1)
    }

    /// The innermost key whose name or value stands at this byte.
    pub(super) fn key_at(&self, byte: usize) -> Option<&str> {
        let length = |spans: &Spans| {
            [&spans.key, &spans.value]
                .into_iter()
                .filter(|span| span.contains(&byte))
                .map(ExactSizeIterator::len)
                .min()
        };
        let (_, key) = self
            .spans
            .iter()
            .filter_map(|(key, spans)| Some((length(spans)?, key)))
            // Of a header and the list that it begins the longer path is the inner one.
            .min_by_key(|(length, key)| (*length, usize::MAX - key.len()))?;
        Some(key)
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{}", key.get_ref());
            self.entry(path, key.span(), value);
        }
    }

    fn entry(&mut self, path: String, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(&path, table),
            DeValue::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.entry(format!("{path}[{index}]"), element.span(), element);
                }
            }
            _ => {}
        }
        let value = value.span();
        self.spans.insert(path, Spans { key, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
mode = \"enforce\"

[[interface]]
name = \"lan0\"
[[interface]]
name = \"lan1\"

[role.quarantine]
portal = true
[[role.quarantine.rule]]
to = [
  \"192.0.2.0/24\",
  \"198.51.100.0/24\",
]
";

    #[test]
    fn keys_have_lines() {
        let places = Places::read(TEXT).expect("TOML");
        let lines = [
            ("mode", Some(1)),
            ("interface[0]", Some(3)),
            ("interface[1].name", Some(6)),
            ("interface[1].zone", Some(5)),
            ("role.quarantine", Some(8)),
            ("role.quarantine.default", Some(8)),
            ("role.quarantine.rule[0].to[1]", Some(13)),
            ("role.quarantine.rule[0].ports[0]", Some(10)),
            ("portal.port", None),
        ];
        for (key, line) in lines {
            assert_eq!(places.line(key), line, "{key}");
        }
    }

    #[test]
    fn places_have_keys() {
        let places = Places::read(TEXT).expect("TOML");
        let keys = [
            ("mode", "mode"),
            ("\"enforce", "mode"),
            ("\"lan1", "interface[1].name"),
            ("\"198", "role.quarantine.rule[0].to[1]"),
        ];
        for (text, key) in keys {
            let byte = TEXT.find(text).expect("in the text");
            assert_eq!(places.key_at(byte), Some(key), "{text}");
        }
        assert_eq!(places.position(0), (1, 1));
        assert_eq!(places.position(TEXT.find("name").expect("a name")), (4, 1));
    }
}
