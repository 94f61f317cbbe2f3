//! Another configuration while the gateway runs: whole, or not at all, and without a moment in which packets are not
//! judged.
//!
//! Everything is read, checked and compiled before the kernel is told anything. Then interfaces that are new get
//! their programs, the tables are written row by row, each of which a packet finds old or new, and last the programs
//! leave interfaces that are no more. What fails before that is undone.

use std::collections::HashMap;

use enforcer_common::{host::SourceId, role::RoleId};
use jiff::Timestamp;
use sd_notify::NotifyState;
use serde_json::{Map, Value};

use super::{Controller, explain::failed, operator::mode_view, staged::Staged};
use crate::{
    audit::Deed,
    config::{Compiled, Config, Mode, shown},
    control::{Refusal, event::EventKind, refusal::Kind, request::Reloaded},
    datapath::{DatapathError, Plan},
    gateway::{
        reload::{Fresh, ReloadError},
        tables,
    },
    links::Forwarding,
    registry::Operator,
};

impl Controller {
    /// The configuration that is in force.
    pub(super) fn in_force(&self, effective: bool) -> Map<String, Value> {
        let config = Config {
            mode: self.mode,
            ..self.config.clone()
        };
        shown(&config, effective)
    }

    /// Somebody sent the signal for it; the kernel does not say who, and lets only root and the gateway's own user.
    pub(super) fn take_hangup(&mut self) {
        let by = Operator {
            uid: 0,
            name: "SIGHUP".to_owned(),
            pid: None,
        };
        // What came of it is in the log.
        let _ = self.reload(&by);
    }

    pub(super) fn reload(&mut self, by: &Operator) -> Result<Reloaded, Refusal> {
        let file = self.reloads.path().display().to_string();
        self.tell_systemd_of_reload();
        let reloaded = self.try_reload(by, &file);
        if self.is_announced {
            tell_systemd(&[NotifyState::Ready]);
        }
        match &reloaded {
            Ok(done) if done.changed.is_empty() => {
                tracing::info!(
                    file,
                    "the configuration was read again: nothing has changed"
                );
            }
            Ok(done) => {
                let changed = done.changed.join(", ");
                tracing::warn!(file, changed, "another configuration is in force");
                let message = format!("{} put {file} in force: {changed}", by.name);
                self.note(EventKind::Configuration, message);
            }
            Err(refusal) => {
                tracing::error!("{refusal}");
                self.note(EventKind::Configuration, refusal.message.clone());
            }
        }
        reloaded
    }

    /// With `Type=notify-reload` systemd waits until the gateway says that it is ready again.
    fn tell_systemd_of_reload(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) if self.is_announced => tell_systemd(&[NotifyState::Reloading, now]),
            _ => {}
        }
    }

    fn try_reload(&mut self, by: &Operator, file: &str) -> Result<Reloaded, Refusal> {
        let fresh = self
            .reloads
            .read(&self.config, &self.compiled.roles, self.mode)
            .map_err(|error| refused(file, &error))?;
        // Who is bound to which MAC address is decided when it is decided who a host is.
        if fresh.compiled.loose_zones() != self.compiled.loose_zones() {
            let key = "interface.bind_mac".to_owned();
            return Err(refused(file, &ReloadError::NeedsRestart(vec![key])));
        }
        self.refuse_missing_roles(file, &fresh.compiled)?;
        self.exceptions
            .audit()
            .record(&Deed {
                time: Timestamp::now(),
                who: by,
                action: "reload",
                object: file,
                details: &fresh.changed.join(", "),
            })
            .map_err(|error| failed(&error))?;
        self.put_in_kernel(&fresh).map_err(|error| {
            Refusal::new(
                Kind::Failed,
                format!("{file} does not come in force, and what was in force still is: {error}"),
                "mend that and reload again",
            )
        })?;
        let changed = fresh.changed.clone();
        self.take_fresh(fresh);
        Ok(Reloaded {
            file: file.to_owned(),
            changed,
            mode: mode_view(self.mode),
        })
    }

    /// A role that endpoints have cannot go: nobody would know what to do with them.
    fn refuse_missing_roles(&self, file: &str, compiled: &Compiled) -> Result<(), Refusal> {
        for (role, name) in self.compiled.roles.iter() {
            let users = self.registry.users_of(role);
            if users > 0 && compiled.roles.id(name) != Some(role) {
                return Err(Refusal::new(
                    Kind::Invalid,
                    format!(
                        "{file} is not taken: it lacks the role `{name}`, which {users} endpoints have"
                    ),
                    "keep the role until no source gives it to anybody, or restart the gateway",
                ));
            }
        }
        Ok(())
    }

    fn put_in_kernel(&mut self, fresh: &Fresh) -> Result<(), DatapathError> {
        let mut undo = Undo::default();
        let written = self.write_fresh(fresh, &mut undo);
        let Err(error) = written else {
            return Ok(());
        };
        // Back to what was in force.
        let old = Compiled {
            mode: self.mode,
            ..self.compiled.clone()
        };
        let rulings = self.rulings_by(&old);
        if let Err(error) = tables::fill(&mut self.datapath, &rulings, &old, &self.own) {
            tracing::error!(
                "{error}: the tables are neither as before nor as they should be; reload again, or restart"
            );
        }
        for plan in undo.amended {
            if let Err(error) = self.datapath.amend(&plan) {
                tracing::error!(interface = plan.interface, "cannot be put back: {error}");
            }
        }
        for interface in undo.added {
            if let Err(error) = self.datapath.detach_from(&interface) {
                tracing::error!(interface, "cannot take off: {error}");
            }
        }
        Err(error)
    }

    fn write_fresh(&mut self, fresh: &Fresh, undo: &mut Undo) -> Result<(), DatapathError> {
        for plan in &fresh.plans {
            if self.datapath.plan(&plan.interface).is_none() {
                let attachment = self.datapath.attach(plan)?;
                undo.added.push(attachment.interface.clone());
            }
        }
        let (rulings, failing) = (self.rulings_by(&fresh.compiled), self.failing());
        tables::fill(&mut self.datapath, &rulings, &fresh.compiled, &fresh.own)?;
        self.failed = failing;
        for plan in &fresh.plans {
            let before = self.datapath.plan(&plan.interface);
            if let Some(before) = before.filter(|before| *before != plan) {
                undo.amended.push(before.clone());
                self.datapath.amend(plan)?;
            }
        }
        Ok(())
    }

    /// The kernel goes by it; everything else follows.
    fn take_fresh(&mut self, fresh: Fresh) {
        let Fresh {
            config,
            compiled,
            own,
            plans,
            ..
        } = fresh;
        let gone = self.compiled.interfaces.iter().map(|one| one.name.clone());
        let gone = gone.filter(|name| plans.iter().all(|plan| plan.interface != *name));
        for interface in gone.collect::<Vec<_>>() {
            match self.datapath.detach_from(&interface) {
                Ok(()) => tracing::warn!(interface, "is no longer judged, by the configuration"),
                Err(error) => tracing::error!(interface, "cannot take off: {error}"),
            }
        }
        let passed = self.passing_roles();
        let was_monitor = self.mode == Mode::Monitor;
        self.mode = compiled.mode;
        self.config = config;
        self.compiled = compiled;
        self.identity.set_own(own.clone());
        self.own = own;
        let roles = self.compiled.roles.iter();
        let roles: HashMap<_, _> = roles.map(|(role, name)| (name.to_owned(), role)).collect();
        self.exceptions.set_roles(roles);
        // What has come of a snapshot may name roles that are no more: it is asked for again.
        self.staged = Staged::default();
        self.benches.clear();
        self.assign_strange_roles();
        if was_monitor && self.mode == Mode::Enforce {
            self.begin_closing_stopped();
        } else {
            self.begin_closing_roles(&passed);
        }
        self.watch_interfaces();
        self.alerts.reload(&self.config);
        if let Err(error) = self.reloads.spread(&self.config, &self.compiled) {
            tracing::error!("{error}");
        }
    }

    /// Endpoints whose role has just come to be.
    fn assign_strange_roles(&mut self) {
        let roles = &self.compiled.roles;
        let known: Vec<_> = self
            .strange_roles
            .extract_if(|_, name| roles.id(name).is_some())
            .filter_map(|(endpoint, name)| Some((endpoint, roles.id(&name)?)))
            .collect();
        let mut changes = Vec::new();
        for (endpoint, role) in known {
            changes.extend(self.registry.assign(SourceId::MANAGEMENT, &endpoint, role));
        }
        self.put_in_force(changes);
    }

    fn passing_roles(&self) -> Vec<RoleId> {
        let roles = self.compiled.roles.iter().map(|(role, _)| role);
        roles.filter(|role| self.stops_nothing(*role)).collect()
    }

    /// Hosts of roles that stop since are closing.
    fn begin_closing_roles(&mut self, passed: &[RoleId]) {
        let mut stops = passed.iter().filter(|role| !self.stops_nothing(**role));
        if stops.next().is_none() {
            return;
        }
        let now = std::time::Instant::now();
        let stopped = self
            .registry
            .held()
            .filter(|(_, row)| passed.contains(&row.role) && !self.stops_nothing(row.role));
        let stopped: Vec<_> = stopped.map(|(host, _)| *host).collect();
        for host in &stopped {
            self.closing.begin(*host, now);
        }
        self.write_again(&stopped);
    }

    fn watch_interfaces(&mut self) {
        let places = self.datapath.attachments();
        let zones = places.map(|one| (one.index, one.zone)).collect();
        self.interfaces.send_if_modified(|current| {
            let differs = *current != zones;
            *current = zones;
            differs
        });
        match Forwarding::read() {
            Ok(links) => self.take_links(&links),
            Err(error) => tracing::error!("{error}"),
        }
    }
}

fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("cannot tell systemd: {error}");
    }
}

/// What was done to interfaces.
#[derive(Debug, Default)]
struct Undo {
    /// Those that got programs.
    added: Vec<String>,
    /// What was wanted before on those whose plan has changed.
    amended: Vec<Plan>,
}

fn refused(file: &str, error: &ReloadError) -> Refusal {
    let remedy = match error {
        ReloadError::NeedsRestart(_) => {
            "restart the gateway (nothing passes unjudged meanwhile), or take that back"
        }
        _ => "mend that and reload again; `enforcer config check` says the same",
    };
    let message = format!("{file} is not taken, and what was in force still is: {error}");
    Refusal::new(Kind::Invalid, message, remedy)
}
