//! A line of the log, and what binds it to the one before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain::Fault;
use crate::{hex::hex, registry::Operator};

/// What stands before and behind the hash at the end of a line. The hash is that of everything before.
const BEFORE: &str = ",\"hash\":\"";
const BEHIND: &str = "\"}";
/// Hexadecimal digits of a hash.
const DIGITS: usize = 64;

/// An entry, as it is read again. What else a line says is left to those who know it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub who: Operator,
    /// What, in one word.
    pub action: String,
    /// To what.
    pub object: String,
    /// With what particulars, and why.
    pub details: String,
}

/// A place in the chain: what the next line has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number of a line.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

#[derive(Serialize)]
struct Numbered<'a, T> {
    seq: u64,
    prev: &'a str,
    #[serde(flatten)]
    deed: &'a T,
}

#[derive(Deserialize)]
struct Place {
    seq: u64,
    prev: String,
}

impl Link {
    /// Before the first line.
    pub(super) fn start() -> Self {
        Self {
            seq: 0,
            hash: "0".repeat(DIGITS),
        }
    }

    /// The line that comes next, with its end, and the link that it is.
    pub(super) fn line(&self, deed: &impl Serialize) -> serde_json::Result<(String, Self)> {
        let numbered = Numbered {
            seq: self.seq + 1,
            prev: &self.hash,
            deed,
        };
        let mut line = serde_json::to_string(&numbered)?;
        // The brace comes back behind the hash.
        line.pop();
        let (seq, hash) = (numbered.seq, hash(&line));
        line.push_str(BEFORE);
        line.push_str(&hash);
        line.push_str(BEHIND);
        line.push('\n');
        Ok((line, Self { seq, hash }))
    }
}

/// The link that a line is, by itself, and the hash of the line before that it names.
pub(super) fn read(line: &[u8]) -> Result<(Link, String), Fault> {
    let line = str::from_utf8(line).map_err(|_| Fault::NoEntry)?;
    let (content, said) = line
        .strip_suffix(BEHIND)
        .and_then(|line| line.split_at_checked(line.len().checked_sub(DIGITS)?))
        .ok_or(Fault::NoEntry)?;
    let content = content.strip_suffix(BEFORE).ok_or(Fault::NoEntry)?;
    if hash(content) != said {
        return Err(Fault::Changed);
    }
    let Place { seq, prev } = serde_json::from_str(line).map_err(|_| Fault::NoEntry)?;
    let hash = said.to_owned();
    Ok((Link { seq, hash }, prev))
}

fn hash(content: &str) -> String {
    hex(&Sha256::digest(content))
}
