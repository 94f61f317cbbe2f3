//! What the HTTP child asks.

use std::net::IpAddr;

use enforcer_common::{
    decide::{self, Basis, Tables},
    host::{Address, Host},
    role::{RoleId, RoleRow},
    settings::Undecided,
};

use super::{Controller, explain::failed};
use crate::{
    control::{
        HttpRequest, HttpResponse, Refusal,
        portal::{Access, HealthView, PortalView},
        serve::Call,
    },
    datapath::DatapathError,
    logs,
    metrics::{Questions, Snapshot},
    registry::Decided,
    sources::queries::Question,
};

impl Controller {
    pub(super) fn take_http(&mut self, call: Call<HttpRequest>) {
        let answer = self.answer_http(call.question);
        // Nobody may be waiting any more.
        let _ = call.answer.send(answer);
    }

    fn answer_http(&mut self, question: HttpRequest) -> Result<HttpResponse, Refusal> {
        match question {
            HttpRequest::Portal { zone, address } => {
                let host = self.host_of(&zone, address)?;
                let view = self.portal_view(&host).map_err(|error| failed(&error))?;
                Ok(HttpResponse::Portal(Box::new(view)))
            }
            HttpRequest::Recheck { zone, address } => {
                let host = self.host_of(&zone, address)?;
                self.queries.ask(Question { host, mac: None });
                Ok(HttpResponse::Recheck)
            }
            HttpRequest::Metrics => self.metrics_text().map(HttpResponse::Metrics),
            HttpRequest::Health => {
                let missing = self.missing();
                Ok(HttpResponse::Health(HealthView {
                    ready: missing.is_empty(),
                    missing,
                }))
            }
        }
    }

    fn host_of(&self, zone: &str, address: IpAddr) -> Result<Host, Refusal> {
        let number = self.zones.number(zone);
        let zone = number.ok_or_else(|| Refusal::no_zone(zone, &self.compiled.zones))?;
        Ok(Host {
            zone,
            address: Address::from(address),
        })
    }

    fn portal_view(&self, host: &Host) -> Result<PortalView, DatapathError> {
        let tables = self.datapath.live(0);
        let now = self.datapath.clock().now()?;
        let standing = decide::standing(host, &tables, now);
        let known = self.registry.host(host);
        let decided = known.as_ref().and_then(|view| view.decided.as_deref());
        let passes = tables.role(standing.role).has(RoleRow::ALLOW);
        let access = match standing.basis {
            Basis::Bypassed | Basis::Outside => Access::Open,
            Basis::LeaseExpired if !passes => Access::Lapsed,
            Basis::Decided | Basis::LeaseExpired if passes => Access::Open,
            Basis::Decided if standing.role == RoleId::UNKNOWN => Access::Unknown,
            Basis::Decided | Basis::LeaseExpired => Access::Stopped,
            Basis::Martian => Access::Unknown,
            Basis::Undecided
                if Undecided::from_number(tables.settings().undecided) == Undecided::Pass =>
            {
                Access::Open
            }
            Basis::Undecided => {
                let timeout = tables.settings().unknown_timeout;
                let waits =
                    |asked: enforcer_common::host::Asked| now.saturating_sub(asked.since) < timeout;
                if tables.asked(host).is_some_and(waits) {
                    Access::Asked
                } else {
                    Access::Unknown
                }
            }
        };
        Ok(PortalView {
            address: host.address.into(),
            access,
            role: self.compiled.roles.name(standing.role).to_owned(),
            endpoint: decided.and_then(Decided::shown_name),
            level: decided.map(|decided| decided.level),
            reasons: decided
                .map(|decided| decided.reasons.clone())
                .unwrap_or_default(),
            checked_at: decided.map(|decided| decided.judged_at),
            since: decided.map(|decided| decided.judged_at),
        })
    }

    fn metrics_text(&self) -> Result<String, Refusal> {
        let counters = self
            .datapath
            .counter_rows()
            .map_err(|error| failed(&error))?;
        let asked = self.queries.stats();
        let snapshot = Snapshot {
            status: self.status(),
            counters,
            questions: Questions {
                known: asked.known(),
                unknown: asked.unknown(),
                failed: asked.failed(),
            },
            runs: self.datapath.runs(),
            alerts: self.alerts.totals(),
            audit_failures: self.exceptions.audit().failures(),
            log_lost: logs::lost(),
        };
        self.metrics
            .render(&snapshot)
            .map_err(|error| failed(&error))
    }
}
