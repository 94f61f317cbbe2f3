//! A snapshot on its way: what has come of it, and does not count before the rest has.

use std::collections::{HashMap, HashSet};

use enforcer_common::host::Host;
use enforcer_protocol::decision::Decision;

use super::{Controller, sources::SERVER};
use crate::{
    identity::{Binding, Bound, EndpointId, Observed, Placed},
    registry::Decided,
};

/// What has come of a snapshot.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// How many parts.
    pub(super) parts: usize,
    /// The hosts that the decisions may be about; those that their endpoints have now are among them, also when they
    /// reported from elsewhere since.
    pub(super) named: HashSet<Host, foldhash::fast::RandomState>,
    /// Decisions about addresses.
    decided: Vec<Decided>,
    /// Decisions about devices: which hosts these are depends on one another.
    devices: Vec<(Decision, Option<Observed>)>,
    /// What the server calls roles that this gateway does not have.
    strange_roles: HashMap<EndpointId, String>,
}

impl Controller {
    /// Takes a part of a snapshot.
    pub(super) fn stage(&mut self, is_first: bool, decisions: Vec<Decision>) {
        if is_first {
            self.staged = Staged::default();
        }
        self.staged.parts += 1;
        self.stage_more(decisions);
    }

    /// The whole snapshot, if its parts have come.
    pub(super) fn staged(&mut self, parts: usize, rest: Vec<Decision>) -> Option<Staged> {
        if parts == 0 {
            self.staged = Staged::default();
        }
        self.stage_more(rest);
        let staged = std::mem::take(&mut self.staged);
        (staged.parts == parts).then_some(staged)
    }

    fn stage_more(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            let observed = self.observed_among_many(&decision);
            self.name_hosts(&decision, observed);
            let placed = Placed {
                decision: &decision,
                observed,
            };
            let Some(bound) = self.identity.by_address(placed) else {
                self.staged.devices.push((decision, observed));
                continue;
            };
            let (decided, strange) = self.understand(decision, Binding::of_address(bound));
            self.staged.strange_roles.extend(strange);
            self.staged.decided.push(decided);
        }
    }

    fn name_hosts(&mut self, decision: &Decision, observed: Option<Observed>) {
        let Some(zone) = self.zones.number(&decision.zone) else {
            return;
        };
        let here = |address| Host { zone, address };
        let claims = decision.claims.iter();
        let named = &mut self.staged.named;
        named.extend(claims.map(|claim| here(claim.address.into())));
        named.extend(match observed {
            Some(Observed::Itself(address)) => Some(here(address)),
            Some(Observed::Behind { address, zone }) => Some(Host {
                zone: zone.unwrap_or(here(address).zone),
                address,
            }),
            Some(Observed::Fixed(host)) => Some(host),
            Some(Observed::Untraced) | None => None,
        });
        let had = self.registry.hosts_of(SERVER, &decision.endpoint);
        named.extend(had);
    }

    /// What a whole snapshot says, with the hosts that its endpoints are now.
    pub(super) fn unstage(&mut self, staged: Staged) -> Vec<Decided> {
        let Staged {
            mut decided,
            devices,
            strange_roles,
            ..
        } = staged;
        self.strange_roles = strange_roles;
        for Bound { host, mac } in decided.iter_mut().flat_map(|decided| &mut decided.hosts) {
            // Somebody may have answered since.
            *mac = self.identity.bound(host);
        }
        let placed = devices.iter().map(|(decision, observed)| Placed {
            decision,
            observed: *observed,
        });
        let bindings = self.identity.bind_all(placed);
        decided.reserve_exact(devices.len());
        for ((decision, _), binding) in devices.into_iter().zip(bindings) {
            self.report_doubts(&binding.doubts);
            let (understood, strange) = self.understand(decision, binding);
            self.strange_roles.extend(strange);
            decided.push(understood);
        }
        decided
    }
}
