//! Versions, compared the way that package managers do.
//!
//! `[epoch:]upstream[-revision]`: runs of digits compare as numbers, everything else character by
//! character, `~` before everything, even the end (`1.0~rc1` comes before `1.0`). Unlike Debian's
//! order, absent components are zero: `12` equals `12.0`, so that a policy may say either.

use std::cmp::Ordering;

use serde::Deserialize;

/// A version. Equal means: neither is older, `12` equals `12.0`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Version {
    text: String,
    epoch: Option<u64>,
    upstream: Vec<Part>,
    revision: Vec<Part>,
}

/// A run of other characters, then a run of digits. Both may be empty.
#[derive(Clone, Debug, Default)]
struct Part {
    prefix: Vec<u8>,
    /// Without leading zeros, so that the longer number is the greater one; empty is zero.
    digits: Vec<u8>,
}

/// A text that has no version in it.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no version; write it as its vendor does, such as `12.5` or `3.0.11-1`")]
pub struct NoVersion(String);

impl Version {
    /// Reads a version. Every text has an order; only a blank one is none.
    pub fn new(text: &str) -> Result<Self, NoVersion> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NoVersion(text.to_owned()));
        }
        let (epoch, rest) = split_epoch(text);
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Ok(Self {
            text: text.to_owned(),
            epoch,
            upstream: parts(upstream),
            revision: parts(revision),
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this version is `minimum` or newer. Distributions put epochs before versions
    /// (`1:9.2p1-2`) that people do not know of, so they count only when `minimum` names one.
    pub fn at_least(&self, minimum: &Self) -> bool {
        let order = match minimum.epoch {
            Some(_) => self.cmp(minimum),
            None => self.cmp_without_epoch(minimum),
        };
        order != Ordering::Less
    }

    fn cmp_without_epoch(&self, other: &Self) -> Ordering {
        compare(&self.upstream, &other.upstream)
            .then_with(|| compare(&self.revision, &other.revision))
    }
}

impl TryFrom<String> for Version {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<Self, NoVersion> {
        Self::new(&text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let epochs = self.epoch.unwrap_or(0).cmp(&other.epoch.unwrap_or(0));
        epochs.then_with(|| self.cmp_without_epoch(other))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

fn split_epoch(text: &str) -> (Option<u64>, &str) {
    let Some((epoch, rest)) = text.split_once(':') else {
        return (None, text);
    };
    match epoch.parse() {
        Ok(epoch) => (Some(epoch), rest),
        Err(_) => (None, text),
    }
}

fn parts(text: &str) -> Vec<Part> {
    let mut bytes = text.as_bytes();
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let prefix = take(&mut bytes, |byte| !byte.is_ascii_digit());
        let digits = take(&mut bytes, u8::is_ascii_digit);
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        parts.push(Part {
            prefix: prefix.to_vec(),
            digits: digits[zeros..].to_vec(),
        });
    }
    drop_zero_components(parts)
}

/// Splits off the leading bytes that are `wanted`.
fn take<'a>(bytes: &mut &'a [u8], wanted: impl Fn(&u8) -> bool) -> &'a [u8] {
    let length = bytes.iter().take_while(|byte| wanted(byte)).count();
    let (head, tail) = bytes.split_at(length);
    *bytes = tail;
    head
}

/// Leaves out each `.0` that no further component follows: `1.0.0~rc1` is `1~rc1`.
fn drop_zero_components(parts: Vec<Part>) -> Vec<Part> {
    let mut kept: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts.into_iter().rev() {
        let followed = kept
            .last()
            .is_some_and(|next| next.prefix.first() == Some(&b'.'));
        if part.prefix == b"." && part.digits.is_empty() && !followed {
            continue;
        }
        kept.push(part);
    }
    kept.reverse();
    kept
}

/// Lexicographic, the shorter side filled up with empty parts.
fn compare(left: &[Part], right: &[Part]) -> Ordering {
    let empty = Part::default();
    (0..left.len().max(right.len()))
        .map(|i| {
            compare_part(
                left.get(i).unwrap_or(&empty),
                right.get(i).unwrap_or(&empty),
            )
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn compare_part(left: &Part, right: &Part) -> Ordering {
    compare_prefix(&left.prefix, &right.prefix)
        .then_with(|| left.digits.len().cmp(&right.digits.len()))
        .then_with(|| left.digits.cmp(&right.digits))
}

fn compare_prefix(left: &[u8], right: &[u8]) -> Ordering {
    (0..left.len().max(right.len()))
        .map(|i| weight(left.get(i)).cmp(&weight(right.get(i))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// `~` first, then the end, then letters, then the rest.
fn weight(byte: Option<&u8>) -> u16 {
    match byte {
        Some(b'~') => 0,
        None => 1,
        Some(letter) if letter.is_ascii_alphabetic() => 2 + u16::from(*letter),
        Some(other) => 0x200 + u16::from(*other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::new(text).unwrap()
    }

    #[test]
    fn known_orders() {
        let ascending = [
            "1.0~~",
            "1.0~beta1",
            "1.0~rc1",
            "1.0",
            "1.0-1",
            "1.0-1+deb12u1",
            "1.0-2",
            "1.0+dfsg",
            "1.0.1",
            "1.2",
            "1.10",
            "9.2p1",
            "10.0.19045",
            "10.0.22631.3155",
            "12.5",
            "22.04",
            "2024-01-15",
            "2024-02-01",
            "1:0.9",
        ];
        for pair in ascending.windows(2) {
            assert!(
                version(pair[0]) < version(pair[1]),
                "{} < {}",
                pair[0],
                pair[1]
            );
        }
    }

    #[test]
    fn absent_components_are_zero() {
        for (left, right) in [
            ("12", "12.0"),
            ("1.0.0", "1"),
            ("1.0~rc1", "1~rc1"),
            ("01.2", "1.02"),
            ("0:3", "3"),
        ] {
            assert_eq!(version(left), version(right));
        }
        assert_ne!(version("1.0.1"), version("1.1"));
    }

    #[test]
    fn epochs_count_when_the_minimum_has_one() {
        assert!(version("1:9.2p1-2").at_least(&version("9.2")));
        assert!(!version("1:9.2p1-2").at_least(&version("9.3")));
        assert!(!version("9.3").at_least(&version("1:9.2")));
        assert!(version("2:0").at_least(&version("1:9.2")));
    }

    #[test]
    fn blank_is_none() {
        assert!(Version::new("  ").is_err());
    }

    fn any_version() -> impl Strategy<Value = Version> {
        // Few characters, so that equal and nearly equal versions come up often.
        "[01a~.:+-]{1,8}".prop_filter_map("blank", |text| Version::new(&text).ok())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn order_is_total(a in any_version(), b in any_version(), c in any_version()) {
            prop_assert_eq!(a.cmp(&a), Ordering::Equal);
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
            if a == b {
                prop_assert_eq!(a.cmp(&c), b.cmp(&c));
            }
        }

        #[test]
        fn numbers_compare_as_numbers(a: u64, b: u64) {
            prop_assert_eq!(version(&format!("1.{a}")).cmp(&version(&format!("1.{b}"))), a.cmp(&b));
        }

        #[test]
        fn any_text_is_read(text in "\\PC{1,40}") {
            let _ = Version::new(&text);
        }
    }
}
