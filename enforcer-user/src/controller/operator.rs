//! What the operator asks and orders.

use std::net::IpAddr;

use enforcer_common::{
    decide::Reason,
    host::{Address, Host},
    role::RoleId,
};
use jiff::{SignedDuration, Timestamp};
use nix::unistd::{Uid, User};

use super::{Controller, explain::failed};
use crate::{
    audit::Deed,
    config::Mode,
    control::{
        Refusal, Request, Response,
        host::{ExceptionView, HostFilter, HostList, HostView, MAX_HOSTS, Release},
        refusal::Kind,
        request::{self, Granted, ModeChange},
        serve::{Call, Peer},
    },
    registry::{self, Decided, Exception, Operator},
};

impl Controller {
    pub(super) fn take_request(&mut self, call: Call<Request>) {
        let answer = self.answer(call.question, call.peer);
        // Nobody may be waiting any more.
        let _ = call.answer.send(answer);
    }

    fn answer(&mut self, request: Request, peer: Peer) -> Result<Response, Refusal> {
        match request {
            Request::Status => Ok(Response::Status(Box::new(self.status()))),
            Request::Hosts(filter) => self.hosts(&filter).map(Response::Hosts),
            Request::Explain { address, zone, to } => self
                .explain(address, zone.as_deref(), to)
                .map(Response::Explanation),
            Request::Mode { mode } => self.switch(mode, peer).map(Response::Mode),
            Request::Except {
                address,
                zone,
                role,
                seconds,
                reason,
            } => {
                let host = self.host_in(address, zone.as_deref())?;
                self.except(host, role, seconds, reason, peer)
                    .map(Response::Excepted)
            }
            Request::Release {
                address,
                zone,
                reason,
            } => {
                let host = self.host_in(address, zone.as_deref())?;
                self.release(host, &reason, peer).map(Response::Released)
            }
        }
    }

    /// The host with this address: in the zone that is named, in the only zone, or in the only one that
    /// knows it.
    pub(super) fn host_in(&self, address: IpAddr, zone: Option<&str>) -> Result<Host, Refusal> {
        let names = &self.compiled.zones;
        let host = |zone| Host {
            zone,
            address: Address::from(address),
        };
        if let Some(name) = zone {
            let number = self.zones.number(name);
            return number
                .map(host)
                .ok_or_else(|| Refusal::no_zone(name, names));
        }
        if names.len() == 1 {
            return Ok(host(0));
        }
        let known: Vec<Host> = (0..)
            .take(names.len())
            .map(host)
            .filter(|host| self.registry.host(host).is_some())
            .collect();
        match known[..] {
            [only] => Ok(only),
            _ => Err(Refusal::ambiguous(address, names)),
        }
    }

    fn hosts(&self, filter: &HostFilter) -> Result<HostList, Refusal> {
        if let Some(zone) = &filter.zone
            && self.zones.number(zone).is_none()
        {
            return Err(Refusal::no_zone(zone, &self.compiled.zones));
        }
        if let Some(role) = &filter.role
            && self.compiled.roles.id(role).is_none()
        {
            let known: Vec<_> = self.compiled.roles.iter().map(|(_, name)| name).collect();
            let remedy = format!("the roles of this gateway are {}", known.join(", "));
            return Err(Refusal::new(
                Kind::NotFound,
                format!("there is no role `{role}`"),
                remedy,
            ));
        }
        let mut found: Vec<registry::HostView> = self
            .registry
            .hosts()
            .filter(|host| self.is_wanted(host, filter))
            .collect();
        found.sort_unstable_by_key(|view| view.host);
        let total = found.len() as u64;
        found.truncate(filter.limit.min(MAX_HOSTS) as usize);
        Ok(HostList {
            hosts: found.iter().map(|view| self.host_view(view)).collect(),
            total,
        })
    }

    fn is_wanted(&self, view: &registry::HostView, filter: &HostFilter) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let zone = self.zones.name(view.host.zone).unwrap_or_default();
        is(&filter.role, self.compiled.roles.name(view.row.role))
            && is(&filter.zone, zone)
            && filter.text.as_ref().is_none_or(|text| mentions(view, text))
    }

    fn host_view(&self, view: &registry::HostView) -> HostView {
        let decided = view.decided.as_deref();
        let blocked = self.datapath.blocked(&view.host);
        let reason = |number: u8| Reason::ALL.get(usize::from(number)).map(|(_, word)| *word);
        HostView {
            address: view.host.address.into(),
            zone: self
                .zones
                .name(view.host.zone)
                .unwrap_or_default()
                .to_owned(),
            role: self.compiled.roles.name(view.row.role).to_owned(),
            source: self.source_name(view.row.source).to_owned(),
            endpoint: decided.and_then(Decided::shown_name),
            owner: decided.and_then(|decided| decided.owner.clone()),
            level: decided.map(|decided| decided.level),
            reasons: decided
                .map(|decided| decided.reasons.clone())
                .unwrap_or_default(),
            judged_at: decided.map(|decided| decided.judged_at),
            valid_until: view.row.until,
            exception: view
                .exception
                .as_ref()
                .map(|made| self.exception_view(&view.host, made)),
            shared_by: u32::try_from(view.shared_by).unwrap_or(u32::MAX),
            stopped_packets: blocked.map_or(0, |blocked| blocked.packets),
            last_stop_reason: blocked
                .and_then(|blocked| reason(blocked.reason))
                .map(str::to_owned),
        }
    }

    fn exception_view(&self, host: &Host, exception: &Exception) -> ExceptionView {
        ExceptionView {
            address: host.address.into(),
            zone: self.zones.name(host.zone).unwrap_or_default().to_owned(),
            role: if exception.role == RoleId::DENIED {
                Granted::Denied
            } else {
                Granted::Authorized
            },
            until: exception.until,
            reason: exception.reason.clone(),
            by: exception.by.name.clone(),
            made_at: exception.since,
        }
    }

    fn switch(&mut self, to: request::Mode, peer: Peer) -> Result<ModeChange, Refusal> {
        let before = mode_view(self.mode);
        let wanted = match to {
            request::Mode::Enforce => Mode::Enforce,
            request::Mode::Monitor => Mode::Monitor,
        };
        if wanted == Mode::Enforce && self.mode != Mode::Enforce {
            self.refuse_lockout()?;
        }
        let deed = Deed {
            time: Timestamp::now(),
            who: &operator(peer),
            action: "mode",
            object: "gateway",
            details: &format!("{before} → {to}"),
        };
        self.exceptions
            .audit()
            .record(&deed)
            .map_err(|error| failed(&error))?;
        let was = std::mem::replace(&mut self.mode, wanted);
        if let Err(error) = self.datapath.set_rulings(&self.rulings()) {
            self.mode = was;
            return Err(failed(&error));
        }
        if wanted == Mode::Enforce && was == Mode::Monitor {
            self.begin_closing_stopped();
        }
        tracing::warn!(mode = %to, %before, "mode switched");
        Ok(ModeChange { mode: to, before })
    }

    /// Enforcing must not stop whoever orders it.
    fn refuse_lockout(&self) -> Result<(), Refusal> {
        let config = crate::config::Config {
            mode: Mode::Enforce,
            ..self.config.clone()
        };
        let machine = crate::config::machine::Machine::read().map_err(|error| failed(&error))?;
        let findings = crate::config::check::check(&config, Some(&machine));
        match findings.iter().find(|finding| finding.is_error()) {
            None => Ok(()),
            Some(finding) => Err(Refusal::new(
                Kind::Invalid,
                finding.fault.to_string(),
                finding.fault.remedy(),
            )),
        }
    }

    fn except(
        &mut self,
        host: Host,
        granted: Granted,
        seconds: Option<u64>,
        reason: String,
        peer: Peer,
    ) -> Result<ExceptionView, Refusal> {
        if self.own.contains(&host) {
            return Err(Refusal::new(
                Kind::Invalid,
                format!("{} is this gateway's own address", host.address),
                "no host may have it; name the address of a host",
            ));
        }
        let since = Timestamp::now();
        let until = seconds
            .map(|seconds| end_after(since, seconds))
            .transpose()?;
        let role = match granted {
            Granted::Authorized => RoleId::AUTHORIZED,
            Granted::Denied => RoleId::DENIED,
        };
        let exception = Exception {
            role,
            reason,
            by: operator(peer),
            since,
            until,
        };
        self.exceptions
            .except(host, &exception)
            .map_err(|error| failed(&error))?;
        let view = self.exception_view(&host, &exception);
        let exception = Exception {
            until: until.map(|until| self.clock.of_wall(until)),
            ..exception
        };
        let mut changes = self.registry.except(host, exception);
        changes.extend(self.registry.place(host, self.identity.bound(&host)));
        self.confirm(&changes);
        self.put_in_force(changes);
        if self.retry.awaits(&host) {
            return Err(Refusal::new(
                Kind::Failed,
                format!(
                    "the exception of {} is kept, but is not in force: the kernel's table has no room for it",
                    host.address
                ),
                "raise `host_capacity`, or release others: it comes in force as soon as there is room",
            ));
        }
        Ok(view)
    }

    fn release(&mut self, host: Host, reason: &str, peer: Peer) -> Result<Release, Refusal> {
        let Some(exception) = self.registry.exception(&host) else {
            return Err(Refusal::no_exception(host.address.into()));
        };
        let exception = self.exception_view(&host, exception);
        self.exceptions
            .release(host, &operator(peer), reason, Timestamp::now())
            .map_err(|error| failed(&error))?;
        let changes = self.registry.release(&host);
        self.put_in_force(changes);
        let role = self
            .registry
            .host(&host)
            .map_or(RoleId::UNKNOWN, |view| view.row.role);
        Ok(Release {
            exception,
            role: self.compiled.roles.name(role).to_owned(),
        })
    }
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

fn end_after(since: Timestamp, seconds: u64) -> Result<Timestamp, Refusal> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| since.checked_add(SignedDuration::from_secs(seconds)).ok())
        .ok_or_else(|| {
            Refusal::new(
                Kind::Invalid,
                format!("{seconds} s is too long"),
                "leave `--for` out for an exception without an end",
            )
        })
}

pub(super) fn mode_view(mode: Mode) -> request::Mode {
    match mode {
        Mode::Enforce => request::Mode::Enforce,
        Mode::Monitor => request::Mode::Monitor,
    }
}

fn operator(peer: Peer) -> Operator {
    let user = User::from_uid(Uid::from_raw(peer.user)).ok().flatten();
    let name = user.map_or_else(|| peer.user.to_string(), |user| user.name);
    Operator {
        uid: peer.user,
        name,
    }
}
