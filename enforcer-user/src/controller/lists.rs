//! What lists of hosts say.

use std::collections::HashSet;

use enforcer_common::host::{Host, SourceId};
use enforcer_protocol::judgement::Level;
use jiff::Timestamp;

use super::Controller;
use crate::{
    identity::{Bound, EndpointId},
    registry::{Change, Decided, Refused},
    sources::file::Listed,
};

impl Controller {
    /// Takes a whole list, unless it takes back too much.
    pub(super) fn take_list(
        &mut self,
        source: SourceId,
        revision: u64,
        hosts: &[Listed],
    ) -> Option<Result<Vec<Change>, Refused>> {
        let named: HashSet<Host> = hosts.iter().map(|listed| listed.host).collect();
        if !self.admits(source, &named) {
            return None;
        }
        let now = Timestamp::now();
        let count = hosts.len();
        let decided = hosts.iter().map(|listed| self.listed(listed, now));
        let decided = decided.collect();
        let taken = self.registry.replace(source, revision, decided);
        if let Ok(changes) = &taken {
            tracing::info!(
                source = self.source_name(source),
                hosts = count,
                changes = changes.len(),
                "took a list"
            );
        }
        Some(taken)
    }

    fn listed(&self, listed: &Listed, now: Timestamp) -> Decided {
        let Listed { host, role, mac } = *listed;
        let by_address = mac.is_none();
        let mac = mac.or_else(|| self.identity.bound(&host));
        Decided {
            endpoint: endpoint(&host),
            name: String::new(),
            owner: None,
            role,
            level: Level::Unknown,
            reasons: Vec::new(),
            judged_at: now,
            valid_until: None,
            hosts: vec![Bound { host, mac }],
            by_address,
        }
    }
}

/// A list knows hosts, and no endpoints: each host is one.
fn endpoint(host: &Host) -> EndpointId {
    EndpointId::from(&*format!("{}%{}", host.address, host.zone))
}
