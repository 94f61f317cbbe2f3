//! What counts where several endpoints share an address, as behind a router that translates theirs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use enforcer_common::{
    host::{Host, SourceId},
    role::RoleId,
};

use super::{Registry, Row, Share, Shares};
use crate::{config::SharedAddresses, identity::EndpointId};

/// Who had each address first, as each source tells it. Kept only where that counts.
pub(super) type Holders = HashMap<Host, BTreeMap<SourceId, EndpointId>>;

impl Registry {
    /// The same, with what counts where several endpoints share an address.
    #[must_use]
    pub fn sharing(mut self, sharing: SharedAddresses) -> Self {
        self.sharing = sharing;
        self
    }

    /// How many endpoints share an address, by the source that tells of most.
    pub(super) fn shared_by(&self, host: &Host) -> usize {
        let mut endpoints: BTreeMap<SourceId, BTreeSet<&EndpointId>> = BTreeMap::new();
        for share in self.shares_of(host) {
            let of_source = endpoints.entry(share.source).or_default();
            of_source.insert(&share.decided.endpoint);
        }
        endpoints.values().map(BTreeSet::len).max().unwrap_or(0)
    }

    /// The decision that counts for a host.
    pub(super) fn counting_share(&self, host: &Host) -> Option<&Share> {
        let counts = self.counting_shares(host);
        self.weights.foremost(counts, |share| share.row())
    }

    /// What each of the decisions about a host that may count comes to.
    pub(super) fn decided_rows(&self, host: &Host) -> impl Iterator<Item = Row> + Clone {
        let is_denied = self.sharing == SharedAddresses::Deny && self.shared_by(host) > 1;
        self.counting_shares(host).map(move |share| {
            let row = share.row();
            let role = if is_denied { RoleId::DENIED } else { row.role };
            Row { role, ..row }
        })
    }

    fn counting_shares(&self, host: &Host) -> impl Iterator<Item = &Share> + Clone {
        let (shares, host) = (self.shares_of(host).iter(), *host);
        shares.filter(move |share| self.may_count(&host, share))
    }

    /// Whoever had the address first keeps it for as long as it has it at all; then the one that was judged first.
    pub(super) fn settle_holders(&mut self, host: &Host) {
        if self.sharing != SharedAddresses::First {
            return;
        }
        let shares = self.shares.get(host).map_or(&[][..], Shares::as_slice);
        let mut holders = self.holders.remove(host).unwrap_or_default();
        holders.retain(|source, holder| shares.iter().any(|share| share.is_of(*source, holder)));
        let mut by_age: Vec<_> = shares.iter().collect();
        by_age.sort_by_key(|share| (share.decided.judged_at, &share.decided.endpoint));
        for share in by_age {
            let holder = holders.entry(share.source);
            holder.or_insert_with(|| share.decided.endpoint.clone());
        }
        if !holders.is_empty() {
            self.holders.insert(*host, holders);
        }
    }

    fn may_count(&self, host: &Host, share: &Share) -> bool {
        let holders = self.holders.get(host);
        let holder = holders.and_then(|holders| holders.get(&share.source));
        holder.is_none_or(|holder| *holder == share.decided.endpoint)
    }

    pub(super) fn shares_of(&self, host: &Host) -> &[Share] {
        self.shares.get(host).map_or(&[], Shares::as_slice)
    }
}

impl Share {
    fn is_of(&self, source: SourceId, endpoint: &EndpointId) -> bool {
        self.source == source && self.decided.endpoint == *endpoint
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::host::Address;
    use jiff::Timestamp;

    use super::*;
    use crate::{
        identity::Bound,
        registry::{Decided, properties::decided},
    };

    const SOURCE: SourceId = SourceId::MANAGEMENT;

    fn host() -> Host {
        Host {
            zone: 0,
            address: Address::v4([10, 0, 0, 1]),
        }
    }

    /// An endpoint behind the address, judged at this second.
    fn behind(endpoint: &str, role: RoleId, judged: i64) -> Decided {
        let (host, mac) = (host(), None);
        Decided {
            judged_at: Timestamp::from_second(judged).expect("a time"),
            ..decided(endpoint, role, vec![Bound { host, mac }])
        }
    }

    fn role(registry: &Registry) -> RoleId {
        registry.row(&host()).expect("a row").role
    }

    #[test]
    fn the_strictest_role_counts() {
        let mut registry = Registry::default();
        for (revision, endpoint, given, comes_to) in [
            (1, "a", RoleId::AUTHORIZED, RoleId::AUTHORIZED),
            (2, "b", RoleId::QUARANTINE, RoleId::QUARANTINE),
            (3, "c", RoleId::AUTHORIZED, RoleId::QUARANTINE),
            (4, "b", RoleId::AUTHORIZED, RoleId::AUTHORIZED),
        ] {
            let decided = behind(endpoint, given, 0);
            registry.decide(SOURCE, revision, decided).expect("taken");
            assert_eq!(role(&registry), comes_to, "{revision}");
        }
        assert_eq!(registry.host(&host()).expect("a host").shared_by, 3);
    }

    #[test]
    fn nobody_passes_by_a_shared_address_where_that_is_denied() {
        let mut registry = Registry::default().sharing(SharedAddresses::Deny);
        let decide = |registry: &mut Registry, revision, endpoint| {
            let decided = behind(endpoint, RoleId::AUTHORIZED, 0);
            registry.decide(SOURCE, revision, decided).expect("taken");
        };
        decide(&mut registry, 1, "a");
        assert_eq!(role(&registry), RoleId::AUTHORIZED);
        decide(&mut registry, 2, "b");
        assert_eq!(role(&registry), RoleId::DENIED);
        registry.withdraw(SOURCE, 3, &"a".into()).expect("taken");
        assert_eq!(role(&registry), RoleId::AUTHORIZED);
        // What another source says of the same device is no second device.
        let other = behind("listed", RoleId::AUTHORIZED, 0);
        registry.decide(SourceId(9), 1, other).expect("taken");
        assert_eq!(role(&registry), RoleId::AUTHORIZED);
    }

    #[test]
    fn whoever_was_first_keeps_the_address() {
        let mut registry = Registry::default().sharing(SharedAddresses::First);
        let first = || behind("b", RoleId::AUTHORIZED, 5);
        let second = || behind("a", RoleId::DENIED, 9);
        registry.decide(SOURCE, 1, first()).expect("taken");
        registry.decide(SOURCE, 2, second()).expect("taken");
        assert_eq!(role(&registry), RoleId::AUTHORIZED);
        // Also when it is judged again, and in a new snapshot.
        let again = behind("b", RoleId::QUARANTINE, 20);
        registry.decide(SOURCE, 3, again.clone()).expect("taken");
        assert_eq!(role(&registry), RoleId::QUARANTINE);
        registry
            .replace(SOURCE, 4, vec![second(), again])
            .expect("taken");
        assert_eq!(role(&registry), RoleId::QUARANTINE);
        registry.withdraw(SOURCE, 5, &"b".into()).expect("taken");
        assert_eq!(role(&registry), RoleId::DENIED);
        registry.decide(SOURCE, 6, first()).expect("taken");
        assert_eq!(role(&registry), RoleId::DENIED, "it was away");
        registry.replace(SOURCE, 7, vec![]).expect("taken");
        assert!(registry.holders.is_empty());
        // Of those that come at once, the one that was judged first.
        registry
            .replace(SOURCE, 8, vec![second(), first()])
            .expect("taken");
        assert_eq!(role(&registry), RoleId::AUTHORIZED);
    }
}
