//! Endpoints whose addresses are translated on the way to the server: what was found of each, and of which it is still
//! to be found out.

use std::net::SocketAddr;

use enforcer_common::host::Host;
use jiff::Timestamp;

use super::{Addresses, Elsewhere, EndpointId, Identity, Observed, Rebound, Report, kept::Kept};

/// What was found of an endpoint when it reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    /// Where the server saw it.
    from: SocketAddr,
    /// When.
    at: Option<Timestamp>,
    observed: Observed,
}

impl Identity {
    /// What was found of this endpoint by the same report. The server repeats it with every new decision, also when
    /// the port has long been given to another connection.
    pub fn traced(&self, endpoint: &str, report: &Report) -> Option<Observed> {
        let trace = self.traces.get(endpoint)?;
        let is_same = (trace.from, trace.at) == (report.from, report.at);
        is_same.then_some(trace.observed)
    }

    /// What an earlier process found.
    pub fn recall(&mut self, all: Vec<Kept>) {
        for kept in all {
            let zone = match &kept.zone {
                Some(name) => match self.zones.number(name) {
                    Some(zone) => Some(zone),
                    // The zone is no more.
                    None => continue,
                },
                None => None,
            };
            let address = kept.address.into();
            let trace = Trace {
                from: kept.from,
                at: kept.at,
                observed: Observed::Behind { address, zone },
            };
            self.traces.insert(kept.endpoint.as_str().into(), trace);
        }
    }

    /// Everything that was found, to be kept; `None` when it has not changed since the last time.
    pub fn new_traces(&mut self) -> Option<Vec<Kept>> {
        std::mem::take(&mut self.has_new_traces).then(|| {
            let all = self.traces.iter();
            all.filter_map(|(endpoint, trace)| self.kept(endpoint, trace))
                .collect()
        })
    }

    fn kept(&self, endpoint: &EndpointId, trace: &Trace) -> Option<Kept> {
        let Observed::Behind { address, zone } = trace.observed else {
            return None;
        };
        Some(Kept {
            endpoint: endpoint.as_str().to_owned(),
            from: trace.from,
            at: trace.at,
            address: address.into(),
            zone: zone.map(|zone| self.zone_name(zone)),
        })
    }

    /// The endpoints that the server saw here, and of which it is not known who that was.
    pub fn untraced_from(&self, from: SocketAddr) -> Vec<(EndpointId, Report)> {
        let first = (from, EndpointId::from(""));
        let there = self.untraced.range(first..);
        let there = there.take_while(|((at, _), _)| *at == from);
        there
            .map(|((_, endpoint), report)| (endpoint.clone(), *report))
            .collect()
    }

    /// All endpoints of which it is not known who the server saw.
    pub fn untraced(&self) -> Vec<(EndpointId, Report)> {
        let all = self.untraced.iter();
        all.map(|((_, endpoint), report)| (endpoint.clone(), *report))
            .collect()
    }

    /// It was found out now. Yields the endpoint with the hosts that it has since.
    pub fn trace(&mut self, endpoint: &EndpointId, observed: Observed) -> Option<Rebound> {
        let mut addresses = self.endpoints.get(endpoint)?.clone();
        let report = addresses.report?;
        self.unlink(endpoint);
        self.take_trace(endpoint, Some(report), Some(observed));
        addresses.place(addresses.zone, Some(observed));
        addresses.forget(&self.own);
        self.link(endpoint, &addresses);
        let binding = self.resolve(endpoint, &addresses);
        let endpoint = endpoint.clone();
        self.endpoints.insert(endpoint.clone(), addresses);
        Some(Rebound { endpoint, binding })
    }

    /// Remembers what was found of an endpoint, or that it is to be found out.
    pub(super) fn take_trace(
        &mut self,
        endpoint: &EndpointId,
        report: Option<Report>,
        observed: Option<Observed>,
    ) {
        let before = self.traces.remove(endpoint);
        let (Some(report), Some(observed)) = (report, observed) else {
            return;
        };
        let from = report.from;
        match observed {
            Observed::Itself(_) | Observed::Fixed(_) => {}
            Observed::Behind { .. } => {
                let at = report.at;
                let trace = Trace { from, at, observed };
                self.has_new_traces |= before != Some(trace);
                self.traces.insert(endpoint.clone(), trace);
            }
            Observed::Untraced => {
                self.untraced.insert((from, endpoint.clone()), report);
            }
        }
    }

    pub(super) fn forget_untraced(&mut self, endpoint: &EndpointId, addresses: &Addresses) {
        if let Some(report) = addresses.report {
            self.untraced.remove(&(report.from, endpoint.clone()));
        }
    }

    /// The zone in which the endpoint was found, when it is another one than that of its token.
    ///
    /// Routes say in which zone an address is, but the same address may be in several, and they name only one of them:
    /// so they count for nothing when somebody is seen at that address in the zone of the token.
    pub(super) fn found_elsewhere(&self, host: Host, addresses: &Addresses) -> Option<String> {
        let Elsewhere { zone, by_route } = addresses.elsewhere?;
        let is_here = by_route && self.seen.place(&host).is_some();
        (!is_here).then(|| self.zone_name(zone))
    }

    pub(super) fn zone_name(&self, zone: u32) -> String {
        self.zones.name(zone).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests;
