//! Endpoints whose addresses are translated on the way to the management server.

use enforcer_protocol::decision::Decision;

use super::Controller;
use crate::{
    conntrack::Told,
    control::event::EventKind,
    identity::{Doubt, Observed, Placed, Report, neighbours::InterfaceZones, tracer::Tracer},
};

/// How it is found out where an endpoint is.
type Locate = fn(&mut Tracer, &Decision, &InterfaceZones) -> Option<Observed>;

impl Controller {
    /// A decision with where its endpoint is.
    pub(super) fn placed<'a>(&mut self, decision: &'a Decision) -> Placed<'a> {
        let observed = self.observed(decision, Tracer::locate);
        Placed { decision, observed }
    }

    /// Where the endpoint of one of many decisions is.
    pub(super) fn observed_among_many(&mut self, decision: &Decision) -> Option<Observed> {
        self.observed(decision, Tracer::locate_one_of_many)
    }

    fn observed(&mut self, decision: &Decision, locate: Locate) -> Option<Observed> {
        // Of another gateway's endpoints nothing is found here.
        self.zones.number(&decision.zone)?;
        let report = Report::of(decision)?;
        if let Some(known) = self.identity.traced(&decision.endpoint, &report) {
            return Some(known);
        }
        let zones = self.interfaces.borrow();
        locate(&mut self.tracer, decision, &zones)
    }

    /// Takes what the kernel tells of translated connections: endpoints of which it was not known who they are may be
    /// found by it.
    pub(super) fn take_told(&mut self, told: &Told) {
        self.tracer.take(told);
        let untraced = match told {
            Told::Begins(one) | Told::Ended(one) => self.identity.untraced_from(one.outside.from),
            Told::All(_) => self.identity.untraced(),
        };
        if untraced.is_empty() {
            return;
        }
        let zones = self.interfaces.borrow().clone();
        let found = self.tracer.retry(untraced, &zones);
        let rebound = found
            .iter()
            .filter_map(|(endpoint, observed)| self.identity.trace(endpoint, *observed));
        let rebound: Vec<_> = rebound.collect();
        self.rebind(rebound);
    }

    /// Keeps what was found since, for the next start.
    pub(super) async fn keep_traces(&mut self) {
        if self.keeper.is_due().await
            && let Some(all) = self.identity.new_traces()
        {
            self.keeper.keep(all);
        }
    }

    /// Tells the operator what is doubtful about an endpoint's addresses.
    pub(super) fn report_doubts(&mut self, doubts: &[Doubt]) {
        for doubt in doubts {
            tracing::warn!("{doubt}");
            self.metrics.doubted(doubt.kind());
            self.note(EventKind::Doubt, doubt.to_string());
        }
    }
}
