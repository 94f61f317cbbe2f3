//! What can be asked, and what answers it.

use std::{fmt, net::IpAddr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{
    alert::AlertTested,
    detail::HostDetail,
    event::{EventPage, EventQuery},
    explanation::Explanation,
    host::{ExceptionView, HostPage, HostQuery, Release},
    portal::{HealthView, PortalView},
    remote::Remote,
    status::StatusView,
    top::{TopQuery, TopView},
};

/// What an operator asks. A misspelt field is refused: an exception without its end is no trifle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How is the gateway? Answered by [`Response::Status`].
    Status,
    /// Which hosts are there? Answered by [`Response::Hosts`].
    Hosts(HostQuery),
    /// What is known of this host? Answered by [`Response::Host`].
    Host {
        /// The host's address.
        address: IpAddr,
        /// Its zone; may be left out where the address is in one zone only.
        #[serde(default)]
        zone: Option<String>,
    },
    /// What happened? Answered by [`Response::Events`].
    Events(EventQuery),
    /// Who is stopped most? Answered by [`Response::Top`].
    Top(TopQuery),
    /// What would happen to a packet of this host, and why? Answered by [`Response::Explanation`].
    Explain {
        /// The host's address.
        address: IpAddr,
        /// Its zone; may be left out where the address is in one zone only.
        #[serde(default)]
        zone: Option<String>,
        /// Where the packet goes; somewhere that no rule names when left out.
        #[serde(default)]
        to: Option<Remote>,
    },
    /// By which configuration does the gateway run? Answered by [`Response::Config`].
    Config {
        /// With every key, not only those that differ from the defaults.
        effective: bool,
    },
    /// Read the configuration anew. Answered by [`Response::Reloaded`].
    Reload,
    /// Try whether an alert arrives. Answered by [`Response::AlertsTested`].
    TestAlerts {
        /// With which target; with all when left out.
        #[serde(default)]
        name: Option<String>,
    },
    /// Change the mode. Answered by [`Response::Mode`].
    Mode {
        /// The new mode.
        mode: Mode,
    },
    /// Give a host a role whatever the sources say. Answered by [`Response::Excepted`].
    Except {
        /// The host's address.
        address: IpAddr,
        /// Its zone; may be left out where the gateway has one zone or knows the address in one.
        #[serde(default)]
        zone: Option<String>,
        /// The role.
        role: Granted,
        /// For how long; until it is released when left out.
        #[serde(default)]
        seconds: Option<u64>,
        /// Why, for those who come after.
        reason: String,
    },
    /// End an exception. Answered by [`Response::Released`].
    Release {
        /// The host's address.
        address: IpAddr,
        /// Its zone; may be left out where one exception only has this address.
        #[serde(default)]
        zone: Option<String>,
        /// Why, for those who come after.
        reason: String,
    },
}

impl Request {
    /// Whether it changes anything.
    pub const fn is_order(&self) -> bool {
        match self {
            Self::Status
            | Self::Hosts(_)
            | Self::Host { .. }
            | Self::Events(_)
            | Self::Top(_)
            | Self::Explain { .. }
            | Self::Config { .. } => false,
            Self::Reload
            | Self::TestAlerts { .. }
            | Self::Mode { .. }
            | Self::Except { .. }
            | Self::Release { .. } => true,
        }
    }
}

/// The answers to [`Request`]s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// To [`Request::Status`].
    Status(Box<StatusView>),
    /// To [`Request::Hosts`].
    Hosts(HostPage),
    /// To [`Request::Host`].
    Host(Box<HostDetail>),
    /// To [`Request::Events`].
    Events(EventPage),
    /// To [`Request::Top`].
    Top(TopView),
    /// To [`Request::Explain`].
    Explanation(Explanation),
    /// To [`Request::Config`].
    Config(serde_json::Map<String, serde_json::Value>),
    /// To [`Request::Reload`].
    Reloaded(Reloaded),
    /// To [`Request::TestAlerts`].
    AlertsTested(Vec<AlertTested>),
    /// To [`Request::Mode`].
    Mode(ModeChange),
    /// To [`Request::Except`].
    Excepted(ExceptionView),
    /// To [`Request::Release`].
    Released(Release),
}

/// What the HTTP child asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HttpRequest {
    /// What is the person at this host to be told? Answered by [`HttpResponse::Portal`].
    Portal {
        /// The zone that the connection came from.
        zone: String,
        /// The address that it came from.
        address: IpAddr,
    },
    /// Ask the sources about this host anew. Answered by [`HttpResponse::Recheck`].
    Recheck {
        /// The zone that the connection came from.
        zone: String,
        /// The address that it came from.
        address: IpAddr,
    },
    /// The metrics as text. Answered by [`HttpResponse::Metrics`].
    Metrics,
    /// Is the gateway ready? Answered by [`HttpResponse::Health`].
    Health,
}

/// The answers to [`HttpRequest`]s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpResponse {
    /// To [`HttpRequest::Portal`].
    Portal(Box<PortalView>),
    /// To [`HttpRequest::Recheck`]: the question is on its way, or one was moments ago.
    Recheck,
    /// To [`HttpRequest::Metrics`]: the text format of Prometheus.
    Metrics(String),
    /// To [`HttpRequest::Health`].
    Health(HealthView),
}

/// Whether verdicts are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything passes; what would have been stopped is counted.
    Monitor,
    /// Verdicts are carried out.
    Enforce,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::Monitor, Self::Enforce];
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Monitor => "monitor",
            Self::Enforce => "enforce",
        })
    }
}

/// The mode before and after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeChange {
    /// The mode now.
    pub mode: Mode,
    /// The mode before; the same when there was nothing to change.
    pub before: Mode,
}

/// A configuration that has come in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The file.
    pub file: String,
    /// The keys that are not as before.
    pub changed: Vec<String>,
    /// The mode now.
    pub mode: Mode,
}

/// The roles that an exception can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granted {
    /// The host passes.
    Authorized,
    /// The host is stopped altogether.
    Denied,
}

impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorized => "authorized",
            Self::Denied => "denied",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_refused() {
        let good =
            r#"{"except":{"address":"10.0.0.5","role":"authorized","seconds":60,"reason":"x"}}"#;
        let misspelt = good.replace("seconds", "secnods");
        assert!(serde_json::from_str::<Request>(good).is_ok());
        assert!(serde_json::from_str::<Request>(&misspelt).is_err());
    }
}
