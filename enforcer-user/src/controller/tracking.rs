//! What is tracked: that a host came under a role, and its first stop there.
//!
//! Those who are told are told behind all that enforces, and nothing here waits for them.

use std::{collections::BTreeMap, num::NonZeroUsize};

use enforcer_common::{
    event::Event as Stop,
    host::{Address, Host, SourceId},
    limits,
    role::RoleId,
};
use jiff::Timestamp;
use lru::LruCache;
use tokio::sync::oneshot;

use super::{Controller, explain::failed};
use crate::{
    alerts::{Alert, Event, Ordered, Subject, Tracked},
    audit::Deed,
    config::{Compiled, Track},
    control::{Refusal, Response},
    datapath::Datapath,
    registry::{Change, Operator, Registry},
};

/// Of how many hosts it is remembered that their first stop was told: those that the datapath remembers as stopped.
const REMEMBERED: NonZeroUsize =
    NonZeroUsize::new(limits::BLOCKED as usize).expect("more than none");

/// Whose first stop under its role has been told. Of so many that some are forgotten, it may be told again.
#[derive(Debug)]
pub(super) struct FirstStops(LruCache<Host, RoleId>);

impl FirstStops {
    /// What an earlier process has told: the datapath remembers who was stopped under which role.
    pub(super) fn of(datapath: &Datapath, registry: &Registry, compiled: &Compiled) -> Self {
        let mut stops = Self(LruCache::unbounded());
        for (host, blocked) in datapath.all_blocked().unwrap_or_default() {
            let is_tracked = compiled.track(blocked.role) != Track::None;
            let is_its_role = registry
                .row(&host)
                .is_none_or(|row| row.role == blocked.role);
            if is_tracked && is_its_role {
                stops.is_first(host, blocked.role);
            }
        }
        stops
    }

    /// Whether this stop is the first of a host under this role.
    fn is_first(&mut self, host: Host, role: RoleId) -> bool {
        let before = self.0.put(host, role);
        if self.0.len() > REMEMBERED.get() {
            self.0.pop_lru();
        }
        before != Some(role)
    }

    /// The host has another role.
    fn forget(&mut self, host: &Host) {
        self.0.pop(host);
    }
}

/// Changes that are to be told.
#[derive(Debug, Default)]
pub(super) struct ToTell {
    changes: Vec<Change>,
    /// Those for which there is no room, by role.
    more: BTreeMap<RoleId, u64>,
}

impl Controller {
    /// Those of these changes by which a host comes under a role that is tracked.
    pub(super) fn tracked<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> ToTell {
        let (room, mut to_tell) = (self.alerts.room(), ToTell::default());
        for change in changes {
            let role = |row: Option<crate::registry::Row>| row.map(|row| row.role);
            if role(change.before) == role(change.after) {
                continue;
            }
            self.first_stops.forget(&change.host);
            let Some(after) = role(change.after) else {
                continue;
            };
            if self.compiled.track(after) == Track::None {
                continue;
            }
            if to_tell.changes.len() < room {
                to_tell.changes.push(*change);
            } else {
                *to_tell.more.entry(after).or_default() += 1;
            }
        }
        to_tell
    }

    /// Has them told.
    pub(super) fn track(&self, ToTell { changes, more }: ToTell) {
        let now = self.clock.now();
        for change in changes {
            let Some(after) = change.after else { continue };
            let name = |role| self.compiled.roles.name(role);
            let before = change.before.map(|row| name(row.role).to_owned());
            let what = format!(
                "came under the role {} (before: {}): {}",
                name(after.role),
                before.as_deref().unwrap_or("undecided"),
                self.cause(&change, now)
            );
            let subject = self.subject(&change.host, after.role);
            let about = Alert::about(Event::Decision, change.host.address.into(), subject, &what);
            self.alerts.tell(Tracked {
                track: self.compiled.track(after.role),
                alert: Alert {
                    role_before: before,
                    ..about
                },
            });
        }
        for (role, count) in more {
            let track = self.compiled.track(role);
            self.alerts
                .miss(self.compiled.roles.name(role), track, count);
        }
    }

    /// Has the first stop of a host under its role told.
    pub(super) fn track_stop(&mut self, stop: &Stop, reason: &str, verdict: &str) {
        let (host, track) = (Host::from(stop.host), self.compiled.track(stop.role));
        if track == Track::None || !self.first_stops.is_first(host, stop.role) {
            return;
        }
        let role = self.compiled.roles.name(stop.role);
        let (remote, port) = (Address::from_mapped(stop.remote), stop.remote_port);
        let would = match stop.monitored {
            0 => "was",
            _ => "would have been",
        };
        let what =
            format!("{would} stopped for the first time as {role} ({reason}), with {remote}");
        let subject = self.subject(&host, stop.role);
        let about = Alert::about(Event::Stop, host.address.into(), subject, &what);
        let alert = Alert {
            stop_reason: Some(reason.to_owned()),
            verdict: Some(verdict.to_owned()),
            remote: Some(remote.into()),
            port: (port != 0).then_some(port),
            protocol: Some(stop.protocol),
            monitored: Some(stop.monitored != 0),
            ..about
        };
        self.alerts.tell(Tracked { track, alert });
    }

    /// What is known of a host that has this role.
    fn subject(&self, host: &Host, role: RoleId) -> Subject {
        let view = self.registry.host(host);
        let source = view.as_ref().map(|view| view.row.source);
        let decided = view.and_then(|view| view.decided);
        let decided = decided.as_deref();
        let reasons = match source {
            Some(SourceId::OPERATOR) => vec!["exception".to_owned()],
            _ => decided.map_or(Vec::new(), |decided| {
                let reasons = decided.reasons.iter();
                reasons.map(|reason| reason.rule.clone()).collect()
            }),
        };
        Subject {
            zone: self.zones.name(host.zone).unwrap_or_default().to_owned(),
            role: self.compiled.roles.name(role).to_owned(),
            source: source.map(|source| self.source_name(source).to_owned()),
            endpoint: decided.and_then(crate::registry::Decided::shown_name),
            owner: decided.and_then(|decided| decided.owner.clone()),
            reasons,
        }
    }

    /// Tries whether alerts arrive. It is written down first; what came of it is said when it is known.
    pub(super) fn test_alerts(
        &self,
        name: Option<String>,
        by: &Operator,
        answer: oneshot::Sender<Result<Response, Refusal>>,
    ) {
        let refusal = if self.alerts.has(name.as_deref()) {
            let object = name.as_deref().unwrap_or("all");
            let deed = Deed {
                time: Timestamp::now(),
                who: by,
                action: "alert-test",
                object,
                details: "",
            };
            let written = self.exceptions.audit().record(&deed);
            written.err().map(|error| failed(&error))
        } else {
            Some(Refusal::no_alert(name.as_deref(), &self.alerts.names()))
        };
        if let Some(refusal) = refusal {
            // Nobody may be waiting any more.
            let _ = answer.send(Err(refusal));
            return;
        }
        let by = by.name.clone();
        self.alerts.order(Ordered { name, by, answer });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(last: u8) -> Host {
        Host {
            zone: 0,
            address: Address::from(std::net::IpAddr::from([192, 0, 2, last])),
        }
    }

    #[test]
    fn a_stop_is_the_first_once_for_each_role() {
        let mut stops = FirstStops(LruCache::unbounded());
        assert!(stops.is_first(host(1), RoleId::QUARANTINE));
        assert!(!stops.is_first(host(1), RoleId::QUARANTINE));
        assert!(stops.is_first(host(2), RoleId::QUARANTINE));
        assert!(stops.is_first(host(1), RoleId::DENIED));
        stops.forget(&host(1));
        assert!(stops.is_first(host(1), RoleId::DENIED));
        assert!(!stops.is_first(host(2), RoleId::QUARANTINE));
    }
}
