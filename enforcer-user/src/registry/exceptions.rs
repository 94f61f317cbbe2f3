//! The operator's exceptions.

use enforcer_common::host::Host;

use super::{Registry, deadlines::Due, decided::Exception, row::Change};
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

    /// Binds a host that has an exception to this MAC address, or to none; the others are bound by what is decided
    /// of them.
    pub fn place(&mut self, host: Host, mac: Option<Mac>) -> Vec<Change> {
        if !self.exceptions.contains_key(&host) {
            return Vec::new();
        }
        match mac {
            Some(mac) => _ = self.places.insert(host, mac),
            None => _ = self.places.remove(&host),
        }
        self.settle(vec![host])
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
