//! Why a question has no answer.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

/// Why a question has no answer, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}; {remedy}")]
pub struct Refusal {
    /// What kind of trouble it is, for programs.
    pub kind: Kind,
    /// What happened, to what.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What was named is not there.
    NotFound,
    /// What was named is there more than once.
    Ambiguous,
    /// The question makes no sense.
    Invalid,
    /// Whoever asks may not.
    Forbidden,
    /// The gateway cannot answer now.
    Busy,
    /// The gateway tried and failed.
    Failed,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: Kind, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// No host has this address.
    pub fn no_host(address: IpAddr) -> Self {
        Self::new(
            Kind::NotFound,
            format!("no host {address} is known here"),
            "`enforcer hosts` lists those that are",
        )
    }

    /// No alert has this name, or there is none at all.
    pub fn no_alert(name: Option<&str>, names: &[String]) -> Self {
        match name {
            Some(name) if !names.is_empty() => Self::new(
                Kind::NotFound,
                format!("there is no alert `{name}`"),
                format!("the alerts of this gateway are {}", names.join(", ")),
            ),
            _ => Self::new(
                Kind::NotFound,
                "nobody is told of anything by this gateway",
                "name somebody in `[[alert]]` of its configuration, and `enforcer reload`",
            ),
        }
    }

    /// No exception was made for this address.
    pub fn no_exception(address: IpAddr) -> Self {
        Self::new(
            Kind::NotFound,
            format!("there is no exception for {address}"),
            "nothing was changed; `enforcer hosts` shows the exceptions that there are",
        )
    }

    /// Whoever gives this order may only ask.
    pub fn only_asking(who: &str) -> Self {
        Self::new(
            Kind::Forbidden,
            format!("{who} may ask the gateway, and change nothing"),
            "use `sudo`, or join the group that `control.group` names",
        )
    }

    /// No zone has this name.
    pub fn no_zone(zone: &str, zones: &[String]) -> Self {
        Self::new(
            Kind::NotFound,
            format!("there is no zone `{zone}`"),
            format!("the zones of this gateway are {}", zones.join(", ")),
        )
    }

    /// More than one zone has this address, or none of several is known to.
    pub fn ambiguous(address: IpAddr, zones: &[String]) -> Self {
        Self::new(
            Kind::Ambiguous,
            format!("{address} can be in the zones {}", zones.join(", ")),
            "say which is meant with `--zone`",
        )
    }

    /// The line is not a question.
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self::new(
            Kind::Invalid,
            format!("the request makes no sense: {error}"),
            "use an `enforcer` of the same version as the gateway's",
        )
    }

    /// The line is too long.
    pub(super) fn oversize(limit: usize) -> Self {
        Self::new(
            Kind::Invalid,
            format!("the request is longer than {limit} bytes"),
            "shorten its texts",
        )
    }

    /// The controller has more to do than it can take on.
    pub(super) fn busy() -> Self {
        Self::new(
            Kind::Busy,
            "the gateway has too many requests to answer",
            "try again in a moment",
        )
    }

    /// The controller took the question and did not answer.
    pub(super) fn unanswered(limit: Duration) -> Self {
        Self::new(
            Kind::Busy,
            format!("the gateway did not answer within {} s", limit.as_secs()),
            "try again; if it stays so, its log says what it is doing",
        )
    }

    /// The controller is on its way out.
    pub(super) fn stopping() -> Self {
        Self::new(
            Kind::Busy,
            "the gateway is stopping",
            "ask again when it has started",
        )
    }
}
