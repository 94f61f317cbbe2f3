//! What can be wrong with a list of hosts.

use std::{fmt, net::IpAddr};

use crate::{
    config::{Choice, Position},
    identity::MacError,
};

/// Something that is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub at: Position,
    /// What.
    pub fault: Fault,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.fault)
    }
}

/// One thing that is wrong with a list of hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another encoding.
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    /// Bytes that are no text.
    #[error("the byte 0x{0:02x} is no UTF-8; save the file as UTF-8")]
    NotUtf8(u8),
    /// Not TOML.
    #[error(
        "{0}; write each host as a table `[[host]]` with `address` and `role`, or a list as CSV"
    )]
    Syntax(String),
    /// Nothing in it.
    #[error("the list is empty; its first line names the columns, such as `{HEADER}`")]
    Empty,
    /// Begins with a host.
    #[error("the first line is a host, and names no columns; write `{HEADER}` above it")]
    NoHeader,
    /// Separated by something else.
    #[error("the columns are not separated by commas; write the list with `,` instead of `{0}`")]
    Separator(char),
    /// A column that must be there.
    #[error(
        "there is no column `{0}`; the columns are `{HEADER}`, of which mac may be left out, and zone where there is only one"
    )]
    NoColumn(&'static str),
    /// A column or key that means nothing.
    #[error("`{}` means nothing here; {choice}", Shown(name))]
    Unknown {
        /// Its name.
        name: String,
        /// What may be meant.
        choice: Choice,
    },
    /// Named twice.
    #[error("the column `{0}` is there twice; remove one")]
    ColumnTwice(String),
    /// Another number of fields than the header has.
    #[error(
        "{found} fields, where the first line names {wanted} columns; write a comma for a field that is empty"
    )]
    Fields {
        /// How many.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// A quotation mark without its other half.
    #[error(
        "the quotation mark that opens this field is not closed in its line; close or remove it"
    )]
    Quote,
    /// Something else than tables.
    #[error("`host` is no list of tables; write each host as a table `[[host]]`")]
    NotTables,
    /// Not a string.
    #[error("`{key}` is no text; write it in quotation marks")]
    NotText {
        /// The key.
        key: &'static str,
    },
    /// A value that must be there.
    #[error("the host has no `{0}`; every host needs an address and a role")]
    Missing(&'static str),
    /// Not an address.
    #[error("`{}` is no address; write one such as 10.1.0.5 or 2001:db8::5", Shown(.0))]
    Address(String),
    /// A prefix.
    #[error("`{}` is a prefix; write a line for each address, or a [[scope]] in the configuration", Shown(.0))]
    Prefix(String),
    /// An address that no host has.
    #[error("{0} is no address of a host; remove it")]
    NoHost(IpAddr),
    /// Not a zone.
    #[error("there is no zone `{}`; {choice}", Shown(zone))]
    Zone {
        /// Its name.
        zone: String,
        /// What may be meant.
        choice: Choice,
    },
    /// A zone is needed.
    #[error("the host has no `zone`, and the configuration has several; {0}")]
    NoZone(Choice),
    /// Not a role.
    #[error("there is no role `{}`; {choice}", Shown(role))]
    Role {
        /// Its name.
        role: String,
        /// What may be meant.
        choice: Choice,
    },
    /// Not a MAC address.
    #[error("{0}; write the one of the host, or none")]
    Mac(MacError),
    /// Listed twice.
    #[error("{address} in zone `{zone}` is there twice, first in line {first}; remove one")]
    Twice {
        /// The address.
        address: IpAddr,
        /// The zone.
        zone: String,
        /// The line where it is first; the byte, until lines are counted.
        first: usize,
    },
}

/// Every column.
const HEADER: &str = "address,zone,role,mac";

impl Fault {
    /// What is wrong with a file of which `rest` is no text.
    pub(super) fn encoding(whole: &[u8], rest: &[u8]) -> Self {
        if whole.starts_with(b"\xff\xfe") || whole.starts_with(b"\xfe\xff") {
            return Self::Utf16;
        }
        Self::NotUtf8(rest.first().copied().unwrap_or_default())
    }

    /// The same with lines for bytes.
    pub(super) fn with_lines(self, line: impl Fn(usize) -> usize) -> Self {
        match self {
            Self::Twice {
                address,
                zone,
                first,
            } => Self::Twice {
                address,
                zone,
                first: line(first),
            },
            other => other,
        }
    }
}

/// Text of a file as it may be shown: short, and without what a terminal obeys.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 40;
        let more = self.0.chars().count() > MOST;
        for character in self.0.chars().take(MOST) {
            write!(f, "{}", character.escape_debug())?;
        }
        f.write_str(if more { "…" } else { "" })
    }
}
