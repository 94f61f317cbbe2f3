//! From the texts of an entry to a host.

use std::{collections::HashMap, net::IpAddr};

use enforcer_common::{
    host::{Address, Host},
    role::RoleId,
};

use super::{Fault, Listed, Names};
use crate::{config::Choice, identity::Mac};

/// What an entry may say; in CSV the columns.
pub(super) const KEYS: [&str; 4] = ["address", "zone", "role", "mac"];

/// So many faults are told at once.
const MOST: usize = 20;

/// A text, and the byte at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub at: usize,
    pub text: String,
}

/// What is written of one host.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The byte at which it begins.
    pub at: usize,
    pub address: Option<Field>,
    pub zone: Option<Field>,
    pub role: Option<Field>,
    pub mac: Option<Field>,
}

impl Entry {
    /// The field of a key; `None` for a key that there is not.
    pub fn field(&mut self, key: &str) -> Option<&mut Option<Field>> {
        match key {
            "address" => Some(&mut self.address),
            "zone" => Some(&mut self.zone),
            "role" => Some(&mut self.role),
            "mac" => Some(&mut self.mac),
            _ => None,
        }
    }
}

/// The hosts so far, and what is wrong so far.
pub(super) struct List<'a> {
    names: Names<'a>,
    pub hosts: Vec<Listed>,
    /// Each with the byte at which it stands.
    pub faults: Vec<(usize, Fault)>,
    /// Where each host stands.
    places: HashMap<Host, usize>,
}

impl<'a> List<'a> {
    pub fn new(names: Names<'a>) -> Self {
        Self {
            names,
            hosts: Vec::new(),
            faults: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Whether there are so many faults that the search may end.
    pub fn is_full(&self) -> bool {
        self.faults.len() >= MOST
    }

    /// Whether an address alone is not enough.
    pub fn needs_zones(&self) -> bool {
        self.names.zones.len() > 1
    }

    /// Notes what is wrong at a byte.
    pub fn fault(&mut self, at: usize, fault: Fault) {
        self.faults.push((at, fault));
    }

    /// Takes a host, or notes everything that is wrong with it.
    pub fn take(&mut self, entry: &Entry) {
        let address = self.note(entry.at, address(entry));
        let zone = self.note(entry.at, self.zone(entry));
        let role = self.note(entry.at, self.role(entry));
        let mac = self.note(entry.at, mac(entry));
        let (Some(address), Some(zone)) = (address, zone) else {
            return;
        };
        let host = Host {
            zone,
            address: address.into(),
        };
        let at = entry.address.as_ref().map_or(entry.at, |field| field.at);
        let first = *self.places.entry(host).or_insert(at);
        if first != at {
            let zone = self.names.zones[zone as usize].clone();
            let fault = Fault::Twice {
                address,
                zone,
                first,
            };
            return self.fault(at, fault);
        }
        if let (Some(role), Some(mac)) = (role, mac) {
            self.hosts.push(Listed { host, role, mac });
        }
    }

    fn note<T>(&mut self, entry: usize, read: Result<T, (Option<usize>, Fault)>) -> Option<T> {
        read.map_err(|(at, fault)| self.fault(at.unwrap_or(entry), fault))
            .ok()
    }

    fn zone(&self, entry: &Entry) -> Read<u32> {
        let zones = self.names.zones;
        let Some(Field { at, text }) = &entry.zone else {
            return match zones {
                [_] => Ok(0),
                _ => Err((None, Fault::NoZone(Choice::Among(zones.to_vec())))),
            };
        };
        let place = zones.iter().position(|zone| zone == text);
        place
            .and_then(|place| u32::try_from(place).ok())
            .ok_or_else(|| {
                let choice = Choice::of(text, zones);
                let zone = text.clone();
                (Some(*at), Fault::Zone { zone, choice })
            })
    }

    fn role(&self, entry: &Entry) -> Read<RoleId> {
        let Some(Field { at, text }) = &entry.role else {
            return Err((None, Fault::Missing("role")));
        };
        self.names.roles.id(text).ok_or_else(|| {
            let names: Vec<_> = self.names.roles.iter().map(|(_, name)| name).collect();
            let choice = Choice::of(text, &names);
            let role = text.clone();
            (Some(*at), Fault::Role { role, choice })
        })
    }
}

/// A value, or what is wrong with it and where, if not with the whole entry.
type Read<T> = Result<T, (Option<usize>, Fault)>;

fn address(entry: &Entry) -> Read<IpAddr> {
    let Some(Field { at, text }) = &entry.address else {
        return Err((None, Fault::Missing("address")));
    };
    let refused = |fault| Err((Some(*at), fault));
    let Ok(address) = text.parse::<IpAddr>() else {
        return refused(if text.parse::<ipnet::IpNet>().is_ok() {
            Fault::Prefix(text.clone())
        } else {
            Fault::Address(text.clone())
        });
    };
    if Address::from(address).is_martian() {
        return refused(Fault::NoHost(address));
    }
    Ok(address.to_canonical())
}

fn mac(entry: &Entry) -> Read<Option<Mac>> {
    let Some(Field { at, text }) = &entry.mac else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|error| (Some(*at), Fault::Mac(error)))
}
