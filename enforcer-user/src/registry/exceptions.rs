//! The operator's exceptions, and which MAC addresses they and decisions about addresses are bound to.

use enforcer_common::host::{Host, SourceId};

use super::{
    Registry,
    deadlines::Due,
    decided::{Decided, Exception},
    row::Change,
};
use crate::identity::Mac;

impl Registry {
    /// Gives a host the operator's role, whatever the sources say.
    pub fn except(&mut self, host: Host, exception: Exception) -> Vec<Change> {
        let until = exception.until;
        if let Some(replaced) = self.exceptions.insert(host, exception) {
            self.deadlines.drop(replaced.until, Due::Exception(host));
        }
        self.deadlines.add(until, Due::Exception(host));
        self.settle(vec![host])
    }

    /// Ends the exception of a host, if it has one.
    pub fn release(&mut self, host: &Host) -> Vec<Change> {
        let Some(released) = self.exceptions.remove(host) else {
            return Vec::new();
        };
        self.deadlines.drop(released.until, Due::Exception(*host));
        self.places.remove(host);
        self.settle(vec![*host])
    }

    /// Binds a host that has an exception, or of which a source decides by its address, to this MAC address, or to
    /// none; decisions about devices are bound by what is known of those.
    pub fn place(&mut self, host: Host, mac: Option<Mac>) -> Vec<Change> {
        let mut touched = Vec::new();
        if self.exceptions.contains_key(&host) {
            match mac {
                Some(mac) => _ = self.places.insert(host, mac),
                None => _ = self.places.remove(&host),
            }
            touched.push(host);
        }
        for (source, revision, decided) in self.bound_otherwise(&host, mac) {
            self.put(source, revision, decided, &mut touched);
        }
        self.settle(touched)
    }

    /// What is decided of an address, and not bound to this MAC address yet; bound to it.
    fn bound_otherwise(&self, host: &Host, mac: Option<Mac>) -> Vec<(SourceId, u64, Decided)> {
        let shares = self.shares_of(host).iter();
        let others = shares.filter(|share| share.decided.by_address && share.mac != mac);
        let bind = |decided: &Decided| {
            let mut decided = decided.clone();
            for bound in decided.hosts.iter_mut().filter(|one| one.host == *host) {
                bound.mac = mac;
            }
            decided
        };
        others
            .filter_map(|share| {
                let revision = self.revision_of(share)?;
                Some((share.source, revision, bind(&share.decided)))
            })
            .collect()
    }

    /// The operator's exception that a host has.
    pub fn exception(&self, host: &Host) -> Option<&Exception> {
        self.exceptions.get(host)
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::{
        host::{Address, SourceId},
        role::RoleId,
    };
    use jiff::Timestamp;

    use super::*;
    use crate::{
        identity::Bound,
        registry::properties::{decided, exception},
    };

    #[test]
    fn an_exception_comes_first_and_ends() {
        let host = Host {
            zone: 1,
            address: Address::v4([10, 0, 0, 1]),
        };
        let role = |registry: &Registry| registry.host(&host).map(|view| view.row.role);
        let end = Timestamp::from_second(60).expect("a time");
        let mut registry = Registry::default();
        let bound = Bound { host, mac: None };
        let denied = decided("a", RoleId::DENIED, vec![bound]);
        registry
            .decide(SourceId::MANAGEMENT, 1, denied)
            .expect("the first");
        registry.except(host, exception(RoleId::AUTHORIZED, Some(end)));
        assert_eq!(role(&registry), Some(RoleId::AUTHORIZED));
        assert_eq!(registry.next_end(), Some(end));
        assert_eq!(registry.expire(end).len(), 1);
        assert_eq!(role(&registry), Some(RoleId::DENIED));
    }

    #[test]
    fn an_exception_is_bound_to_where_the_host_answers() {
        let host = Host {
            zone: 1,
            address: Address::v4([10, 0, 0, 1]),
        };
        let mac = Mac([2, 0, 0, 0, 0, 1]);
        let bound = |registry: &Registry| registry.host(&host).map(|view| view.row.mac);
        let mut registry = Registry::default();
        assert_eq!(registry.place(host, Some(mac)), [], "nothing is decided");
        registry.except(host, exception(RoleId::AUTHORIZED, None));
        assert_eq!(bound(&registry), Some(None));
        assert_eq!(registry.place(host, Some(mac)).len(), 1);
        assert_eq!(bound(&registry), Some(Some(mac)));
        // As another process finds it.
        let row = registry.host(&host).expect("an exception").row;
        let mut next = Registry::default();
        let stored = [(host, exception(RoleId::AUTHORIZED, None))];
        assert_eq!(next.adopt(&[], [(host, row)], stored), []);
        assert_eq!(bound(&next), Some(Some(mac)));
        assert_eq!(next.place(host, None).len(), 1);
        registry.release(&host);
        registry.except(host, exception(RoleId::AUTHORIZED, None));
        assert_eq!(bound(&registry), Some(None), "the binding went with it");
    }

    #[test]
    fn what_is_decided_of_an_address_is_bound_to_who_answers_there() {
        let host = Host {
            zone: 1,
            address: Address::v4([10, 0, 0, 1]),
        };
        let mac = Mac([2, 0, 0, 0, 0, 1]);
        let mut registry = Registry::default();
        let bound = Bound { host, mac: None };
        let of_device = decided("device", RoleId::AUTHORIZED, vec![bound]);
        let of_address = Decided {
            by_address: true,
            ..decided("address", RoleId::AUTHORIZED, vec![bound])
        };
        let snapshot = vec![of_device, of_address];
        let taken = registry.replace(SourceId::MANAGEMENT, 7, snapshot);
        taken.expect("the first");
        registry.place(host, Some(mac));
        let macs = |registry: &Registry| {
            let parties = registry.parties(&host);
            let mut macs: Vec<_> = parties
                .map(|party| (party.decided.endpoint.to_string(), party.mac))
                .collect();
            macs.sort();
            macs
        };
        let expected = [
            ("address".to_owned(), Some(mac)),
            ("device".to_owned(), None),
        ];
        assert_eq!(macs(&registry), expected);
        let revisions: Vec<_> = registry.said_of(&host).map(|(_, at, _)| at).collect();
        assert_eq!(revisions, [7, 7], "it is no newer for that");
        registry.place(host, None);
        assert!(macs(&registry).iter().all(|(_, mac)| mac.is_none()));
    }

    #[test]
    fn the_end_of_a_former_exception_ends_no_later_one() {
        let host = Host {
            zone: 1,
            address: Address::v4([10, 0, 0, 1]),
        };
        let end = |second| Timestamp::from_second(second).expect("a time");
        let denied = |second| exception(RoleId::DENIED, Some(end(second)));
        let mut registry = Registry::default();
        registry.except(host, denied(10));
        registry.except(host, denied(20));
        registry.release(&host);
        assert_eq!(registry.next_end(), None);
        registry.except(host, denied(30));
        assert_eq!(registry.expire(end(20)), []);
        let changes = registry.expire(end(30));
        assert_eq!(changes.len(), 1);
        assert!(changes[0].before.is_some() && changes[0].after.is_none());
    }
}
