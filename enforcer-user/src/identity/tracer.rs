//! Finding out who the server saw, where addresses are translated on the way to it.
//!
//! In this order: a fixed rule of the configuration; a translated connection that was watched; the endpoint's own word,
//! when it says to have the address at which it was seen; the kernel's connection tracking table. An address of this
//! machine, or one that it translates to, is never an endpoint's own.

use std::{collections::HashSet, net::IpAddr, sync::Arc};

use enforcer_common::host::Address;
use enforcer_protocol::decision::Decision;
use tokio::sync::{mpsc, watch};

use super::{EndpointId, Observed, Report, Statics, neighbours::InterfaceZones};
use crate::{
    conntrack::{Connections, Opened, Outside, Servers, Told, Translations},
    links::{Way, Ways},
    sources::clock::Clock,
};

/// The most ends of management servers that are watched: a bound against one that names ever new ones.
const MAX_SERVERS: usize = 64;

/// Who finds it out.
#[derive(Debug)]
pub struct Tracer {
    statics: Statics,
    translations: Translations,
    connections: Connections,
    ways: Ways,
    /// Addresses of this machine that are on the side of no host.
    machine: HashSet<IpAddr>,
    /// Whose connections are watched.
    servers: watch::Sender<Servers>,
    /// Where all of them are asked for.
    wanted: mpsc::Sender<()>,
    clock: Arc<Clock>,
    /// Whether the kernel has listed the connections that there were at the start.
    is_listed: bool,
    has_failed: bool,
}

impl Tracer {
    /// One with these fixed rules, on a machine with these addresses beside those towards its hosts. Connections with
    /// `servers` are watched, and all of them told anew when it is `wanted`; `clock` is what their reports are timed by.
    pub fn new(
        statics: Statics,
        machine: HashSet<IpAddr>,
        servers: watch::Sender<Servers>,
        wanted: mpsc::Sender<()>,
        clock: Arc<Clock>,
    ) -> Self {
        Self {
            statics,
            translations: Translations::default(),
            connections: Connections::default(),
            ways: Ways::default(),
            machine,
            servers,
            wanted,
            clock,
            is_listed: false,
            has_failed: false,
        }
    }

    /// Where the endpoint of this decision is; `None` when the server saw it nowhere. `zones` are those of the
    /// interfaces under enforcement.
    pub fn locate(&mut self, decision: &Decision, zones: &InterfaceZones) -> Option<Observed> {
        let report = self.timed_here(Report::of(decision)?);
        let from = report.from.ip();
        if let Some(found) = self.known(&report, zones) {
            return Some(found);
        }
        let itself = Observed::Itself(Address::from(from));
        let mut claims = decision.claims.iter();
        let claims_it = claims.any(|claim| claim.address.to_canonical() == from);
        if claims_it && !self.machine.contains(&from) {
            return Some(itself);
        }
        let asked = self.ask(&report, zones);
        if let Some(found) = asked.or_else(|| self.by_its_near_end(&report, zones)) {
            return Some(found);
        }
        if !self.is_ours(from) {
            return Some(itself);
        }
        // Something may have been missed; when it is not there either, nobody is wanted twice.
        let _ = self.wanted.try_send(());
        Some(Observed::Untraced)
    }

    /// The same for one of many, of which to ask the kernel about each takes longer than all the rest. It need not be
    /// asked where it has told already of all connections with this end of the server, and none of them is translated
    /// to this address.
    pub fn locate_one_of_many(
        &mut self,
        decision: &Decision,
        zones: &InterfaceZones,
    ) -> Option<Observed> {
        let report = Report::of(decision)?;
        let from = report.from.ip();
        let is_watched = |to| self.servers.borrow().contains(&to);
        let is_all_told = self.is_listed && report.to.is_some_and(is_watched);
        if !is_all_told || self.is_known_as_ours(from) {
            return self.locate(decision, zones);
        }
        Some(Observed::Itself(from.into()))
    }

    /// Takes what the kernel tells of connections.
    pub fn take(&mut self, told: &Told) {
        let now = self.clock.now();
        match told {
            Told::Begins(one) => self.translations.begin(*one, now),
            Told::Ended(one) => self.translations.end(*one, now),
            Told::All(all) => {
                self.translations.all(all, now);
                self.is_listed = true;
            }
        }
    }

    /// Tries again for endpoints that are not traced yet, by what was told since.
    pub fn retry(
        &mut self,
        untraced: Vec<(EndpointId, Report)>,
        zones: &InterfaceZones,
    ) -> Vec<(EndpointId, Observed)> {
        let found = untraced.into_iter().filter_map(|(endpoint, report)| {
            let report = self.timed_here(report);
            let known = self.known(&report, zones);
            let found = known.or_else(|| self.by_its_near_end(&report, zones))?;
            Some((endpoint, found))
        });
        found.collect()
    }

    /// Forgets connections that ended long ago.
    pub fn expire(&mut self) {
        self.translations.expire(self.clock.now());
    }

    /// The report with the time that it came by the clock of this machine.
    fn timed_here(&self, report: Report) -> Report {
        let at = report.at.map(|at| self.clock.here(at));
        Report { at, ..report }
    }

    /// What is known of just this connection.
    fn known(&mut self, report: &Report, zones: &InterfaceZones) -> Option<Observed> {
        if let Some(host) = self.statics.find(report.from) {
            return Some(Observed::Fixed(host));
        }
        let (from, to) = (report.from, report.to?);
        let inside = self.translations.find(Outside { from, to }, report.at)?;
        Some(self.behind(inside.ip(), zones))
    }

    /// What is known of a connection that has another far end here than the server's own, because something behind this
    /// machine translates that too. A server's end that was ever met here is not translated.
    fn by_its_near_end(&mut self, report: &Report, zones: &InterfaceZones) -> Option<Observed> {
        let is_met = |to| self.servers.borrow().contains(&to);
        if report.to.is_some_and(is_met) {
            return None;
        }
        let inside = self.translations.find_from(report.from, report.at)?;
        Some(self.behind(inside.ip(), zones))
    }

    /// What the kernel says of the connection, while it is there.
    fn ask(&mut self, report: &Report, zones: &InterfaceZones) -> Option<Observed> {
        for end in self.ends(report) {
            match self.connections.ask(end) {
                Ok(None) => {}
                Ok(Some(Opened::Unchanged)) if self.is_ours(report.from.ip()) => return None,
                Ok(Some(Opened::Unchanged)) => {
                    return Some(Observed::Itself(report.from.ip().into()));
                }
                Ok(Some(Opened::Translated(found))) => {
                    self.translations.note(found, self.clock.now());
                    self.watch_too(end);
                    // It may be another one that has the port now.
                    let inside = self.translations.find(end, report.at)?;
                    return Some(self.behind(inside.ip(), zones));
                }
                Err(error) => self.complain(&error),
            }
        }
        None
    }

    /// How the connection may be called here: by the server's own end, and where that was never met, by those that
    /// were.
    fn ends(&self, report: &Report) -> Vec<Outside> {
        let from = report.from;
        let servers = self.servers.borrow();
        let is_met = report.to.is_some_and(|to| servers.contains(&to));
        let same_family = servers.iter().filter(|to| to.is_ipv4() == from.is_ipv4());
        let others = same_family.filter(|_| !is_met);
        let all = report.to.iter().chain(others);
        all.map(|to| Outside { from, to: *to }).collect()
    }

    /// Connections with this end of a server are watched from now on.
    fn watch_too(&self, end: Outside) {
        self.servers
            .send_if_modified(|servers| servers.len() < MAX_SERVERS && servers.insert(end.to));
    }

    fn behind(&mut self, inside: IpAddr, zones: &InterfaceZones) -> Observed {
        let zone = match self.way(inside) {
            Some(Way::By(interface)) => zones.get(&interface).copied(),
            Some(Way::Here) | None => None,
        };
        let address = inside.into();
        Observed::Behind { address, zone }
    }

    /// Whether no endpoint can have this address, since connections are translated to it.
    fn is_ours(&mut self, address: IpAddr) -> bool {
        self.is_known_as_ours(address) || self.way(address) == Some(Way::Here)
    }

    fn is_known_as_ours(&self, address: IpAddr) -> bool {
        self.machine.contains(&address)
            || self.statics.is_outside(address)
            || self.translations.is_outside(address)
    }

    fn way(&mut self, to: IpAddr) -> Option<Way> {
        match self.ways.ask(to) {
            Ok(way) => way,
            Err(error) => {
                self.complain(&error);
                None
            }
        }
    }

    /// Says once that the kernel does not answer.
    fn complain(&mut self, error: &crate::netlink::AnswerError) {
        if !std::mem::replace(&mut self.has_failed, true) {
            tracing::warn!(
                "the kernel does not say whose a connection is: {error}; endpoints whose addresses this machine \
                 translates may not be found"
            );
        }
    }
}

#[cfg(test)]
mod tests;
