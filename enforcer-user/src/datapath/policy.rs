//! Roles, rules, scopes, settings and leases: the tables that the configuration fills.

use std::{collections::BTreeSet, time::Duration};

use aya::maps::{MapError, lpm_trie::Key};
use enforcer_common::{
    bucket::Rate,
    host::{Address, SourceId},
    limits,
    role::{OwnedPrefix, RoleId, RoleRow, RuleSet},
    settings::{Scope, Settings, Undecided},
};
use ipnet::IpNet;

use super::{Datapath, DatapathError, plain::Plain};

/// How often one unknown host is asked about, and stops of one host are reported.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// An unknown host that is silent for so long counts as new when it comes back.
const FORGET_AFTER: Duration = Duration::from_secs(30);

/// A flow to the portal that is silent for so long is forgotten: browsers keep idle connections for two minutes at most.
const PORTAL_IDLE: Duration = Duration::from_mins(5);

/// What the configuration says apart from tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rulings {
    /// Whether stops are carried out.
    pub enforce: bool,
    /// How long an unknown host is held.
    pub unknown_timeout: Duration,
    /// Whether the first datagram of an unknown host may go out.
    pub first_datagram: bool,
    /// The role of hosts whose source has gone silent.
    pub lease_expired: RoleId,
    /// Whether decisions go on while their source is silent, instead of that role.
    pub lease_holds: bool,
    /// Whether hosts that nothing is decided of pass.
    pub undecided: Undecided,
    /// How many stopped packets a second each CPU answers.
    pub replies_per_second: u32,
    /// How many unknown hosts a second each CPU asks about, and how many stops it reports.
    pub questions_per_second: u32,
}

impl Datapath {
    /// Writes mode and times.
    pub fn set_rulings(&mut self, rulings: &Rulings) -> Result<(), DatapathError> {
        let settings = Settings {
            unknown_timeout: self.clock.ticks(rulings.unknown_timeout),
            report_every: self.clock.ticks(REPORT_EVERY),
            forget_after: self.clock.ticks(FORGET_AFTER),
            portal_idle: self.clock.ticks(PORTAL_IDLE),
            replies: self.rate(rulings.replies_per_second),
            questions: self.rate(rulings.questions_per_second),
            enforce: u8::from(rulings.enforce),
            lease_expired: rulings.lease_expired,
            first_datagram: u8::from(rulings.first_datagram),
            lease_holds: u8::from(rulings.lease_holds),
            undecided: rulings.undecided as u8,
            pad: [0; 3],
        };
        self.maps
            .settings
            .set(0, Plain(settings), 0)
            .map_err(map("SETTINGS"))
    }

    fn rate(&self, events: u32) -> Rate {
        let second = self.clock.ticks(Duration::from_secs(1));
        Rate::per_second(events, u32::try_from(second).unwrap_or(u32::MAX))
    }

    /// Writes what roles mean. Roles that are not named mean "stop".
    pub fn set_roles(&mut self, rows: &[(RoleId, RoleRow)]) -> Result<(), DatapathError> {
        for number in 0..limits::ROLES {
            let row = rows.iter().find(|(role, _)| role.0 == number);
            let row = row.map_or_else(RoleRow::default, |(_, row)| *row);
            self.maps
                .roles
                .set(u32::from(number), Plain(row), 0)
                .map_err(map("ROLES"))?;
        }
        Ok(())
    }

    /// Writes the rules of all roles; what was there and is not named goes.
    pub fn set_rules(&mut self, rules: &[(RoleId, IpNet, RuleSet)]) -> Result<(), DatapathError> {
        let mut wanted = BTreeSet::new();
        for (role, prefix, set) in rules {
            let key = key(u32::from(role.0), *prefix);
            self.maps
                .rules
                .insert(&key, Plain(*set), 0)
                .map_err(map("RULES"))?;
            wanted.insert(order(&key));
        }
        let stale: Vec<_> = stale(self.maps.rules.keys(), &wanted).map_err(map("RULES"))?;
        for key in stale {
            self.maps.rules.remove(&key).map_err(map("RULES"))?;
        }
        Ok(())
    }

    /// Writes which addresses are checked, by zone; what was there and is not named goes.
    pub fn set_scopes(&mut self, scopes: &[(u32, IpNet, Scope)]) -> Result<(), DatapathError> {
        let mut wanted = BTreeSet::new();
        for (zone, prefix, scope) in scopes {
            let key = key(*zone, *prefix);
            self.maps
                .scopes
                .insert(&key, *scope as u32, 0)
                .map_err(map("SCOPES"))?;
            wanted.insert(order(&key));
        }
        let stale: Vec<_> = stale(self.maps.scopes.keys(), &wanted).map_err(map("SCOPES"))?;
        for key in stale {
            self.maps.scopes.remove(&key).map_err(map("SCOPES"))?;
        }
        self.bump_all()
    }

    /// Lets the decisions of a source hold until then, in jiffies.
    pub fn set_lease(&mut self, source: SourceId, until: u64) -> Result<(), DatapathError> {
        let before = self.lease(source)?;
        self.maps
            .leases
            .set(u32::from(source.0), until, 0)
            .map_err(map("LEASES"))?;
        // The caches hold what they found until the lease of that time ends.
        if until < before {
            self.bump_all()
        } else {
            Ok(())
        }
    }

    /// Until when the decisions of a source hold, in jiffies.
    pub fn lease(&self, source: SourceId) -> Result<u64, DatapathError> {
        self.maps
            .leases
            .get(&u32::from(source.0), 0)
            .map_err(map("LEASES"))
    }
}

pub(super) fn map(name: &'static str) -> impl Fn(MapError) -> DatapathError {
    move |error| DatapathError::Map { name, error }
}

fn key(owner: u32, prefix: IpNet) -> Key<Plain<OwnedPrefix>> {
    let bits = u32::from(prefix.prefix_len());
    let above = if prefix.network().is_ipv4() { 96 } else { 0 };
    let address = Address::from(prefix.network());
    // An IPv6 default must not cover mapped IPv4 addresses by accident, nor does it: `::/0` holds
    // them, and the IPv4 default, which every compiled table has, is longer.
    Key::new(
        32 + above + bits,
        Plain(OwnedPrefix::new(owner, address.mapped())),
    )
}

type Ordered = (u32, [u8; 4], [u8; 16]);

fn order(key: &Key<Plain<OwnedPrefix>>) -> Ordered {
    let Plain(prefix) = key.data();
    (key.prefix_len(), prefix.owner, prefix.address)
}

fn stale(
    keys: impl Iterator<Item = Result<Key<Plain<OwnedPrefix>>, MapError>>,
    wanted: &BTreeSet<Ordered>,
) -> Result<Vec<Key<Plain<OwnedPrefix>>>, MapError> {
    keys.filter(|key| {
        key.as_ref()
            .map_or(true, |key| !wanted.contains(&order(key)))
    })
    .collect()
}
