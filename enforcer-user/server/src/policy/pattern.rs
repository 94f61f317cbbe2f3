//! Patterns for names: `*` stands for any run of characters, letter case does not matter.

use std::fmt;

use serde::Deserialize;

/// A pattern for a whole name. Matching is linear in practice and never exponential.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

/// A pattern that is blank, and so would match nothing.
#[derive(Debug, thiserror::Error)]
#[error("a pattern is blank; write a name, with `*` for any run of characters")]
pub struct BlankPattern;

impl Pattern {
    /// Whether the whole of `name` fits.
    pub fn matches(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }
}

impl TryFrom<String> for Pattern {
    type Error = BlankPattern;

    fn try_from(text: String) -> Result<Self, BlankPattern> {
        if text.trim().is_empty() {
            return Err(BlankPattern);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When a literal run fails, only the last `*` need grow: earlier ones have already matched as
/// early as they could.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if byte.eq_ignore_ascii_case(&name[n]) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((star_p, star_n)) = star else {
                    return false;
                };
                star = Some((star_p, star_n + 1));
                p = star_p + 1;
                n = star_n + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition itself, exponential and plainly right.
    fn defined(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', rest @ ..] => (0..=name.len()).any(|i| defined(rest, &name[i..])),
            [byte, rest @ ..] => {
                name.first()
                    .is_some_and(|first| first.eq_ignore_ascii_case(byte))
                    && defined(rest, &name[1..])
            }
        }
    }

    #[test]
    fn examples() {
        let pattern = Pattern("TeamViewer*".to_owned());
        assert!(pattern.matches("teamviewer"));
        assert!(pattern.matches("TeamViewer 15"));
        assert!(!pattern.matches("my teamviewer"));
    }

    #[test]
    fn hostile_patterns_take_no_time() {
        let pattern = Pattern("*a".repeat(2_000) + "b");
        assert!(!pattern.matches(&"a".repeat(5_000)));
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[aB*]{0,8}", name in "[abB]{0,8}") {
            prop_assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                defined(pattern.as_bytes(), name.as_bytes())
            );
        }
    }
}
