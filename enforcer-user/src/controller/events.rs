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
            self.ask(event);
        } else if event.kind == Kind::Spoof as u8 {
            self.log_spoof(event);
            self.note_stop(event, "", "spoofed", "drop");
            self.doubt(event);
        } else {
            self.log_stop(event);
        }
    }

    /// Somebody sends in the name of a host that is elsewhere: an attack, or a device whose MAC address has changed.
    fn log_spoof(&self, event: &Event) {
        tracing::warn!(
            target: "stops",
            host = self.shown(&Host::from(event.host)),
            mac = %enforcer_common::mac::Mac::new(event.mac),
            vlan = event.vlan,
            monitored = event.monitored != 0,
            packets = event.count,
            "packets of this address came from a MAC address that it is not bound to"
        );
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

    fn log_stop(&mut self, event: &Event) {
        let remote = Address::from_mapped(event.remote);
        let verdict = Verdict::ALL
            .get(usize::from(event.verdict))
            .map_or("?", |(_, word)| word);
        let reason = Reason::ALL
            .get(usize::from(event.reason))
            .map_or("?", |(_, word)| word);
        let would = match event.monitored {
            0 if event.kind == Kind::Portal as u8 => "sent to the portal",
            0 => "stopped",
            _ => "would have stopped",
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
        let remote = match event.remote_port {
            0 => format!("{remote}"),
            port => format!("{}", std::net::SocketAddr::new(remote.into(), port)),
        };
        self.note_stop(event, &remote, reason, verdict);
        self.track_stop(event, reason, verdict);
    }
}
