//! What the datapath reports.

use enforcer_common::{
    decide::{Reason, Verdict},
    event::{Event, Kind},
    host::{Address, Host},
};

use super::Controller;
use crate::{identity::Mac, sources::queries::Question};

impl Controller {
    pub(super) fn take_event(&mut self, event: &Event) {
        if event.kind == Kind::Unknown as u8 {
            return self.ask(event);
        }
        self.log_stop(event);
        if event.kind == Kind::Spoof as u8 {
            self.doubt(event);
        }
    }

    /// Somebody unknown: perhaps an address that a known endpoint claims, else worth a question.
    fn ask(&mut self, event: &Event) {
        let host = Host::from(event.host);
        let mac = Mac::of_host(event.mac);
        if let Some(mac) = mac {
            let rebound = self.identity.sight(host, mac);
            self.rebind(rebound);
        }
        if self.registry.host(&host).is_none() {
            tracing::debug!(host = self.shown(&host), "unknown: asking");
            self.queries.ask(Question { host, mac });
        }
    }

    fn log_stop(&self, event: &Event) {
        let remote = Address::from_mapped(event.remote);
        let verdict = Verdict::ALL
            .get(usize::from(event.verdict))
            .map_or("?", |(_, word)| word);
        let reason = Reason::ALL
            .get(usize::from(event.reason))
            .map_or("?", |(_, word)| word);
        let would = if event.monitored == 0 {
            "stopped"
        } else {
            "would have stopped"
        };
        tracing::info!(
            target: "stops",
            host = self.shown(&Host::from(event.host)),
            role = self.compiled.roles.name(event.role),
            verdict,
            reason,
            monitored = event.monitored != 0,
            remote = %remote,
            port = event.remote_port,
            protocol = event.protocol,
            packets = event.count,
            "{would}"
        );
    }
}
