//! The hosts, as the operator lists them: part by part, so that a million of them neither fills the memory nor
//! keeps anything else waiting.

use std::collections::BTreeMap;

use enforcer_common::{
    decide::Reason,
    host::{Address, Host, SourceId},
    limits,
    role::{RoleId, RoleRow},
};

use super::Controller;
use crate::{
    config::{InterfacePlan, Mode},
    control::{
        Refusal,
        host::{HostPage, HostQuery, HostView, MAX_PAGE, Place, Status, Tally},
        refusal::Kind,
    },
    registry,
};

/// How many hosts are looked at for one answer: a few milliseconds.
const LOOKED_AT: usize = 1 << 14;

impl Controller {
    pub(super) fn hosts(&self, query: &HostQuery) -> Result<HostPage, Refusal> {
        self.refuse_names(query)?;
        let after = query.after.as_ref().map(|place| self.place(place));
        let standings = self.standings();
        let limit = query.limit.min(MAX_PAGE) as usize;
        let mut tallies = BTreeMap::<(String, Status), u64>::new();
        let mut page = HostPage::default();
        let mut looked_at = 0;
        let mut hosts = self.registry.hosts_after(after.transpose()?).peekable();
        while let Some(view) = hosts.next() {
            looked_at += 1;
            let status = standings.of(&view);
            if self.is_wanted(&view, status, query) {
                let interface = self.interface_of(&view.host);
                *tallies.entry((interface.clone(), status)).or_default() += 1;
                if limit > 0 {
                    page.hosts.push(self.host_view(&view, status, interface));
                }
            }
            let is_full = limit > 0 && page.hosts.len() == limit;
            if (is_full || looked_at == LOOKED_AT) && hosts.peek().is_some() {
                page.next = Some(self.name_place(&view.host));
                break;
            }
        }
        let tally = |((interface, status), hosts)| Tally {
            interface,
            status,
            hosts,
        };
        page.tallies = tallies.into_iter().map(tally).collect();
        Ok(page)
    }

    /// A name that nothing has is a mistake, and no empty list.
    fn refuse_names(&self, query: &HostQuery) -> Result<(), Refusal> {
        if let Some(zone) = &query.zone
            && self.zones.number(zone).is_none()
        {
            return Err(Refusal::no_zone(zone, &self.compiled.zones));
        }
        let Some(role) = &query.role else {
            return Ok(());
        };
        if self.compiled.roles.id(role).is_some() {
            return Ok(());
        }
        let known: Vec<_> = self.compiled.roles.iter().map(|(_, name)| name).collect();
        Err(Refusal::new(
            Kind::NotFound,
            format!("there is no role `{role}`"),
            format!("the roles of this gateway are {}", known.join(", ")),
        ))
    }

    fn place(&self, place: &Place) -> Result<Host, Refusal> {
        let zone = self.zones.number(&place.zone);
        Ok(Host {
            zone: zone.ok_or_else(|| Refusal::no_zone(&place.zone, &self.compiled.zones))?,
            address: Address::from(place.address),
        })
    }

    fn name_place(&self, host: &Host) -> Place {
        let zone = self.zones.name(host.zone).unwrap_or_default();
        Place {
            zone: zone.to_owned(),
            address: host.address.into(),
        }
    }

    fn is_wanted(&self, view: &registry::HostView, status: Status, query: &HostQuery) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let zone = self.zones.name(view.host.zone).unwrap_or_default();
        query.status.is_none_or(|wanted| wanted == status)
            && is(&query.role, self.compiled.roles.name(view.row.role))
            && is(&query.zone, zone)
            && query.text.as_ref().is_none_or(|text| mentions(view, text))
            && query
                .reason
                .as_ref()
                .is_none_or(|reason| self.is_because(view, reason))
    }

    /// Whether a host fails a rule, has an exception, or was stopped last, for such a reason.
    fn is_because(&self, view: &registry::HostView, reason: &str) -> bool {
        let reason = reason.to_lowercase();
        let has = |field: &str| field.to_lowercase().contains(&reason);
        let fails = |decided: &registry::Decided| {
            let mut reasons = decided.reasons.iter();
            reasons.any(|one| has(&one.rule) || has(&one.text))
        };
        view.decided.as_deref().is_some_and(fails)
            || view
                .exception
                .as_ref()
                .is_some_and(|made| has(&made.reason))
            || self
                .datapath
                .blocked(&view.host)
                .is_some_and(|blocked| has(reason_word(blocked.reason)))
    }

    /// The interface that a host is behind: the one that it was seen on, else the only one of its zone.
    pub(super) fn interface_of(&self, host: &Host) -> String {
        let seen = self.identity.whereabouts(host);
        let seen = seen.and_then(|seen| self.interface_name(seen.interface?));
        let named = seen.or_else(|| {
            let has_zone = |one: &&InterfacePlan| one.zones().any(|(zone, ..)| zone == host.zone);
            let mut of_zone = self.compiled.interfaces.iter().filter(has_zone);
            let only = of_zone.next()?;
            of_zone.next().is_none().then_some(only.name.as_str())
        });
        named.unwrap_or("-").to_owned()
    }

    pub(super) fn interface_name(&self, index: u32) -> Option<&str> {
        let mut attached = self.datapath.attachments();
        let found = attached.find(|one| one.index == index);
        found.map(|one| one.interface.as_str())
    }

    pub(super) fn host_view(
        &self,
        view: &registry::HostView,
        status: Status,
        interface: String,
    ) -> HostView {
        let decided = view.decided.as_deref();
        let blocked = self.datapath.blocked(&view.host);
        let zone = self.zones.name(view.host.zone).unwrap_or_default();
        HostView {
            address: view.host.address.into(),
            zone: zone.to_owned(),
            interface,
            status,
            role: self.compiled.roles.name(view.row.role).to_owned(),
            source: self.source_name(view.row.source).to_owned(),
            endpoint: decided.and_then(registry::Decided::shown_name),
            owner: decided.and_then(|decided| decided.owner.clone()),
            level: decided.map(|decided| decided.level),
            reasons: decided
                .map(|decided| decided.reasons.clone())
                .unwrap_or_default(),
            judged_at: decided.map(|decided| decided.judged_at),
            valid_until: view.row.until.map(|until| self.clock.to_wall(until)),
            exception: view
                .exception
                .as_ref()
                .map(|made| self.exception_view(&view.host, made)),
            shared_by: u32::try_from(view.shared_by).unwrap_or(u32::MAX),
            stopped_packets: blocked.map_or(0, |blocked| blocked.packets),
            last_stop_reason: blocked.map(|blocked| reason_word(blocked.reason).to_owned()),
        }
    }

    /// What each role and each lease means now.
    pub(super) fn standings(&self) -> Standings {
        let mut standings = Standings {
            allows: [false; 1 << u8::BITS],
            monitors: [self.mode == Mode::Monitor; 1 << u8::BITS],
            lapsed: [false; limits::SOURCES],
            lease_expired: self.compiled.lease_expired,
        };
        for (role, row) in &self.compiled.role_rows {
            standings.allows[usize::from(role.0)] = row.has(RoleRow::ALLOW);
            standings.monitors[usize::from(role.0)] |= row.has(RoleRow::MONITOR);
        }
        // Where a lease that is over fails open, decisions go on.
        let holds = self.compiled.fail.lease_expired.is_open();
        if let Some(now) = self.datapath.clock().now().ok().filter(|_| !holds) {
            for (source, lapsed) in (0..).zip(&mut standings.lapsed) {
                let lease = self.datapath.lease(SourceId(source));
                *lapsed = lease.is_ok_and(|until| until <= now);
            }
        }
        standings
    }
}

/// What each role and each lease means at a moment.
pub(super) struct Standings {
    allows: [bool; 1 << u8::BITS],
    monitors: [bool; 1 << u8::BITS],
    lapsed: [bool; limits::SOURCES],
    lease_expired: RoleId,
}

impl Standings {
    pub(super) fn of(&self, view: &registry::HostView) -> Status {
        let is_known = view.decided.is_some() || view.exception.is_some();
        if !is_known && view.row.role == RoleId::UNKNOWN {
            return Status::NoClient;
        }
        let is_over = self.is_over(view.row.source);
        let role = if is_over {
            self.lease_expired
        } else {
            view.row.role
        };
        let role = usize::from(role.0);
        match (self.allows[role], self.monitors[role]) {
            (true, _) => Status::Authorized,
            (false, true) => Status::Monitor,
            (false, false) => Status::Unauthorized,
        }
    }

    /// Whether decisions of this source count no longer.
    pub(super) fn is_over(&self, source: SourceId) -> bool {
        let lapsed = self.lapsed.get(usize::from(source.0));
        lapsed.copied().unwrap_or(true)
    }
}

/// The word of the metrics for the number of a reason.
pub(super) fn reason_word(number: u8) -> &'static str {
    Reason::ALL
        .get(usize::from(number))
        .map_or("?", |(_, word)| word)
}

fn mentions(view: &registry::HostView, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |field: &str| field.to_lowercase().contains(&text);
    let decided = view.decided.as_deref();
    has(&view.host.address.to_string())
        || decided.is_some_and(|decided| {
            has(decided.endpoint.as_str())
                || has(&decided.name)
                || decided.owner.as_deref().is_some_and(has)
                || decided
                    .reasons
                    .iter()
                    .any(|reason| has(&reason.rule) || has(&reason.text))
        })
}
