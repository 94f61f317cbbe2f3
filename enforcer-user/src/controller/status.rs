//! How the gateway is.

use std::collections::BTreeMap;

use enforcer_common::{host::Family, limits};

use super::{Controller, heard::Heard, operator::mode_view};
use crate::{
    control::status::{
        Egress, Ingress, InterfaceView, PassageView, SourceView, StatusView, TableView,
    },
    datapath::{Attachment, EgressHook, IngressHook},
    links::Passage,
    sources::Profile,
};

/// How many of the newest events belong to it.
const EVENTS: usize = 10;

impl Controller {
    pub(super) fn status(&self) -> StatusView {
        let missing = self.missing();
        StatusView {
            mode: mode_view(self.mode),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.started.elapsed().as_secs(),
            zones: self.compiled.zones.clone(),
            interfaces: self
                .datapath
                .attachments()
                .map(|one| self.interface(one))
                .collect(),
            passages: self.passages.iter().map(passage).collect(),
            sources: self.sources.values().map(|one| self.source(one)).collect(),
            tables: self.tables(),
            hosts_by_role: self.hosts_by_role(),
            pending: self.queries.stats().pending(),
            events_lost: self.datapath.lost_events().unwrap_or(0),
            drift_repaired: self.drift,
            fails_open: self.fails_open(),
            compared_at: self.compared,
            alerts: self.alerts.views(),
            events: self.journal.newest(EVENTS),
            ready: missing.is_empty(),
            not_ready_reasons: missing,
        }
    }

    /// What is missing for the gateway to do all of its work.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for heard in self.sources.values() {
            let Profile { id, name, .. } = &heard.profile;
            if !self.registry.is_complete(*id) {
                missing.push(format!(
                    "no snapshot of what the source {name} decided has come yet"
                ));
            } else if self.lease_seconds(*id) == Some(0) {
                missing.push(format!(
                    "the source {name} has been silent for longer than its lease"
                ));
            }
            if heard.guard.awaits() {
                missing.push(format!(
                    "the source {name} would take back too much at once: it is asked again"
                ));
            }
        }
        missing.extend(self.lost.iter().cloned());
        missing.extend(self.unpinned.iter().cloned());
        if !self.retry.is_empty() {
            missing.push("the kernel's tables do not hold all decisions".to_owned());
        }
        missing
    }

    fn interface(&self, attachment: &Attachment) -> InterfaceView {
        InterfaceView {
            name: attachment.interface.clone(),
            zone: self
                .zones
                .name(attachment.zone)
                .unwrap_or_default()
                .to_owned(),
            ingress: match attachment.ingress {
                IngressHook::Native => Ingress::XdpNative,
                IngressHook::Generic => Ingress::XdpGeneric,
                IngressHook::Tc => Ingress::Tc,
            },
            reason: attachment.reason.clone(),
            egress: match attachment.egress {
                EgressHook::Tcx => Egress::Tcx,
                EgressHook::Clsact => Egress::Clsact,
            },
            attached: attachment.is_in_place(),
        }
    }

    fn source(&self, heard: &Heard) -> SourceView {
        let profile = &heard.profile;
        SourceView {
            name: profile.name.clone(),
            kind: profile.kind,
            at: heard.at.clone(),
            priority: profile.priority,
            connected: heard.connected,
            revision: self.registry.revision(profile.id).unwrap_or(0),
            decisions: self.registry.endpoints(profile.id) as u64,
            lease_seconds_left: self.lease_seconds(profile.id),
            held_back: heard.guard.count,
            last_error: heard.last_error.clone(),
        }
    }

    fn tables(&self) -> BTreeMap<String, TableView> {
        let (mut v4, mut v6) = (0, 0);
        for (host, _) in self.registry.held() {
            match host.address.family() {
                Family::V4 => v4 += 1,
                Family::V6 => v6 += 1,
            }
        }
        let table = |used: usize, capacity: u32| TableView {
            used: used as u64,
            capacity: capacity.into(),
        };
        let hosts = self.config.host_capacity;
        let scopes = self.compiled.scopes.len() + self.own.len();
        let stopped = self.datapath.all_blocked().map_or(0, |rows| rows.len());
        let tables = [
            ("hosts_v4", table(v4, hosts)),
            ("hosts_v6", table(v6, hosts)),
            (
                "rules",
                table(self.compiled.rules.len(), limits::RULE_PREFIXES),
            ),
            ("scopes", table(scopes, limits::SCOPES)),
            ("stopped", table(stopped, limits::BLOCKED)),
        ];
        let named = tables.map(|(name, table)| (name.to_owned(), table));
        named.into()
    }

    fn hosts_by_role(&self) -> BTreeMap<String, u64> {
        let roles = self.compiled.roles.iter();
        let mut by_role: BTreeMap<String, u64> =
            roles.map(|(_, name)| (name.to_owned(), 0)).collect();
        for (role, count) in self.registry.counts() {
            by_role.insert(self.compiled.roles.name(role).to_owned(), count as u64);
        }
        by_role
    }
}

fn passage(passage: &Passage) -> PassageView {
    PassageView {
        interface: passage.interface.clone(),
        v4: passage.v4,
        v6: passage.v6,
        covered: passage.cover.is_whole(),
        cover: passage.cover.word().to_owned(),
        how: passage.cover.to_string(),
        remedy: passage.remedy(),
    }
}
