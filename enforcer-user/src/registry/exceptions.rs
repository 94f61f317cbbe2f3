//! The operator's exceptions.

use enforcer_common::host::Host;

use super::{Registry, deadlines::Due, decided::Exception, row::Change};

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
        self.settle(vec![*host])
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
