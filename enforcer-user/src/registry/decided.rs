//! What is decided: by a source of an endpoint, by the operator of a host.

use enforcer_common::{host::SourceId, role::RoleId};
use enforcer_protocol::{
    decision::Decision,
    judgement::{Level, Reason},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::identity::{Binding, Bound, EndpointId};

/// What a source decided of one endpoint, and which hosts of this gateway that endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its name, for people.
    pub name: String,
    /// Who uses it.
    pub owner: Option<String>,
    /// Its role.
    pub role: RoleId,
    /// How well it complies.
    pub level: Level,
    /// The rules that it fails.
    pub reasons: Vec<Reason>,
    /// When it was judged.
    pub judged_at: Timestamp,
    /// After this time the decision no longer holds.
    pub valid_until: Option<Timestamp>,
    /// Its hosts; none while no address of it is known here.
    pub hosts: Vec<Bound>,
    /// It is about an address, whoever is there: bound to the MAC address that answers there, and to another one as
    /// soon as that does.
    pub by_address: bool,
}

impl Decided {
    /// A server's decision with what this gateway makes of its role and addresses.
    pub fn new(decision: Decision, role: RoleId, binding: Binding) -> Self {
        Self {
            endpoint: decision.endpoint.as_str().into(),
            name: decision.name,
            owner: decision.owner,
            role,
            level: decision.level,
            reasons: decision.reasons,
            judged_at: decision.judged_at,
            valid_until: decision.valid_until,
            hosts: binding.hosts,
            by_address: binding.by_address,
        }
    }

    /// The endpoint's name, if it has one.
    pub fn shown_name(&self) -> Option<String> {
        (!self.name.is_empty()).then(|| self.name.clone())
    }
}

/// Who gave an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The user's number.
    pub uid: u32,
    /// The user's name.
    pub name: String,
    /// The process that gave the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
}

/// What an operator ordered for one host, whatever the sources say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The role that the host has meanwhile.
    pub role: RoleId,
    /// Why.
    pub reason: String,
    /// Who ordered it.
    pub by: Operator,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None` until it is released.
    pub until: Option<Timestamp>,
}

impl Exception {
    /// What the kernel is to hold while the exception lasts.
    pub(super) fn row(&self) -> Row {
        Row {
            role: self.role,
            source: SourceId::OPERATOR,
            mac: None,
            until: self.until,
        }
    }
}
