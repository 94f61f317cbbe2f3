//! What the operator asks and orders.

use std::net::IpAddr;

use enforcer_common::{
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
        host::{ExceptionView, Release},
        refusal::Kind,
        request::{self, Granted, ModeChange},
        serve::{Call, Peer, Rights},
    },
    registry::{Exception, Operator},
};

impl Controller {
    pub(super) fn take_request(&mut self, call: Call<Request>) {
        if call.rights == Rights::Read && call.question.is_order() {
            let who = operator(call.peer).name;
            tracing::warn!(who, "gave an order over the socket that is for questions");
            let _ = call.answer.send(Err(Refusal::only_asking(&who)));
            return;
        }
        if let Request::Events(query) = &call.question {
            let query = query.clone();
            return self.take_reader(query, call.answer);
        }
        if let Request::TestAlerts { name } = call.question {
            return self.test_alerts(name, &operator(call.peer), call.answer);
        }
        let answer = self.answer(call.question, call.peer);
        // Nobody may be waiting any more.
        let _ = call.answer.send(answer);
    }

    fn answer(&mut self, request: Request, peer: Peer) -> Result<Response, Refusal> {
        match request {
            Request::Status => Ok(Response::Status(Box::new(self.status()))),
            Request::Hosts(query) => self.hosts(&query).map(Response::Hosts),
            Request::Host { address, zone } => {
                let host = self.host_in(address, zone.as_deref())?;
                self.detail(host)
                    .map(|detail| Response::Host(Box::new(detail)))
            }
            Request::Events(query) => Ok(Response::Events(self.journal.page(&query))),
            Request::Top(query) => self.top(query).map(Response::Top),
            Request::Explain { address, zone, to } => self
                .explain(address, zone.as_deref(), to)
                .map(Response::Explanation),
            Request::Config { effective } => Ok(Response::Config(self.in_force(effective))),
            Request::TestAlerts { name } => {
                // Those who are there are asked before.
                Err(Refusal::no_alert(name.as_deref(), &self.alerts.names()))
            }
            Request::Reload => self.reload(&operator(peer)).map(Response::Reloaded),
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

    pub(super) fn exception_view(&self, host: &Host, exception: &Exception) -> ExceptionView {
        ExceptionView {
            address: host.address.into(),
            zone: self.zones.name(host.zone).unwrap_or_default().to_owned(),
            role: if exception.role == RoleId::DENIED {
                Granted::Denied
            } else {
                Granted::Authorized
            },
            until: exception.until.map(|until| self.clock.to_wall(until)),
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
        let who = operator(peer);
        let deed = Deed {
            time: Timestamp::now(),
            who: &who,
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
        self.note_mode(to, before, &who);
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
        // Kept by the wall clock, in force by the steady one.
        let exception = Exception {
            until: until.map(|until| self.clock.of_wall(until)),
            ..exception
        };
        let view = self.exception_view(&host, &exception);
        self.note_exception(&host, &view);
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
        self.note_release(&host, &operator(peer), reason);
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
        pid: peer.process,
    }
}
