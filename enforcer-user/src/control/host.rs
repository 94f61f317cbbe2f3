//! Hosts as the operator sees them.

use std::{fmt, net::IpAddr, str::FromStr};

use clap::ValueEnum;
use enforcer_protocol::judgement::{Level, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::Granted;

/// The most hosts in one answer: a few megabytes.
pub const MAX_PAGE: u32 = 4096;

/// How a host stands to the policy, in the words of the lists of hosts that do not comply.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is let pass.
    Authorized,
    /// It is known, and not let pass.
    Unauthorized,
    /// Nothing is known of it: no agent reports for it, and nobody has made an exception.
    NoClient,
    /// It is known, and would be stopped if stops were carried out.
    Monitor,
}

impl Status {
    /// Every status, in the order of lists.
    pub const ALL: [Self; 4] = [
        Self::Authorized,
        Self::Unauthorized,
        Self::NoClient,
        Self::Monitor,
    ];
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorized => "authorized",
            Self::Unauthorized => "unauthorized",
            Self::NoClient => "no-client",
            Self::Monitor => "monitor",
        })
    }
}

/// Which hosts are asked for. What is absent excludes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostQuery {
    /// Only hosts that stand so.
    pub status: Option<Status>,
    /// Only hosts of this role.
    pub role: Option<String>,
    /// Only hosts of this zone.
    pub zone: Option<String>,
    /// Only hosts that fail a rule, have an exception, or were stopped last, for a reason that contains this.
    pub reason: Option<String>,
    /// Only hosts whose address, endpoint, owner or reasons contain this.
    pub text: Option<String>,
    /// Only hosts behind this one, in the order of zones and addresses.
    pub after: Option<Place>,
    /// How many at most; more than [`MAX_PAGE`] count as that. With 0 they are only counted.
    pub limit: u32,
}

/// A host by names: where a list of hosts goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its zone.
    pub zone: String,
    /// Its address.
    pub address: IpAddr,
}

/// Why a text is no [`Place`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no host; write its address and its zone as in 192.0.2.5%lan")]
pub struct ParsePlaceError(String);

impl FromStr for Place {
    type Err = ParsePlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParsePlaceError(text.to_owned());
        let (address, zone) = text.split_once('%').ok_or_else(refused)?;
        let address = address.parse().map_err(|_| refused())?;
        if zone.is_empty() {
            return Err(refused());
        }
        Ok(Self {
            zone: zone.to_owned(),
            address,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%{}", self.address, self.zone)
    }
}

/// A part of the hosts that a query lets through, ordered by zone and address. The gateway looks at a bounded
/// number of hosts for each; what they have in common is counted over all that it looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPage {
    /// The hosts.
    pub hosts: Vec<HostView>,
    /// How many were let through among those that were looked at.
    pub tallies: Vec<Tally>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<Place>,
}

/// How many hosts have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The interface of the gateway that they are behind; `-` where several may be it.
    pub interface: String,
    /// How they stand.
    pub status: Status,
    /// How many.
    pub hosts: u64,
}

/// Everything worth saying of a host in one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// The address.
    pub address: IpAddr,
    /// The zone in which the address is unique.
    pub zone: String,
    /// The interface of the gateway that it is behind; `-` where several may be it.
    pub interface: String,
    /// How it stands.
    pub status: Status,
    /// The role that it has now.
    pub role: String,
    /// What gave it that role.
    pub source: String,
    /// The endpoint's name.
    pub endpoint: Option<String>,
    /// Who uses it.
    pub owner: Option<String>,
    /// How well it complies.
    pub level: Option<Level>,
    /// The rules that it fails.
    pub reasons: Vec<Reason>,
    /// When it was judged.
    pub judged_at: Option<Timestamp>,
    /// Until when that holds.
    pub valid_until: Option<Timestamp>,
    /// The operator's exception, where there is one.
    pub exception: Option<ExceptionView>,
    /// How many endpoints the sources see at this address.
    pub shared_by: u32,
    /// Packets stopped.
    pub stopped_packets: u64,
    /// Why the last one was stopped, in the words of the metrics.
    pub last_stop_reason: Option<String>,
}

/// An operator's exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionView {
    /// The host's address.
    pub address: IpAddr,
    /// Its zone.
    pub zone: String,
    /// The role that it is given.
    pub role: Granted,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Why it was made.
    pub reason: String,
    /// Who made it: the name of a user of this machine, or the number.
    pub by: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// An exception that was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The exception that is no more.
    pub exception: ExceptionView,
    /// The role that the host has now.
    pub role: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in ["192.0.2.5%lan", "2001:db8::5%guest"] {
            let place: Place = text.parse().expect(text);
            assert_eq!(place.to_string(), text);
        }
        for text in [
            "",
            "192.0.2.5",
            "192.0.2.5%",
            "lan%192.0.2.5",
            "192.0.2.500%lan",
        ] {
            let error = text.parse::<Place>().expect_err(text).to_string();
            assert!(error.contains("192.0.2.5%lan"), "{error}");
        }
    }
}
