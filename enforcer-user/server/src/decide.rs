//! From a judgement to what gateways are told.

use std::net::{IpAddr, SocketAddr};

use enforcer_protocol::{
    decision::{Claim, Decision},
    judgement::Judgement,
    posture::{Interface, Posture},
};
use jiff::{Timestamp, Unit};

/// What stays the same when an endpoint is judged anew without having reported.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The zone of the token it reported with.
    pub zone: String,
    /// Where the report came from.
    pub observed: Option<SocketAddr>,
    /// This server's end of the connection that it came by.
    pub observed_by: Option<SocketAddr>,
    /// When it came.
    pub observed_at: Option<Timestamp>,
    /// Until when the report counts.
    pub valid_until: Option<Timestamp>,
}

/// The decision that follows from a judgement of this posture.
pub fn decide(posture: &Posture, judgement: Judgement, origin: Origin) -> Decision {
    Decision {
        endpoint: posture.device.id.clone(),
        name: posture.device.name.clone(),
        owner: posture.device.owner.clone(),
        zone: origin.zone,
        observed: origin.observed,
        observed_by: origin.observed_by,
        observed_at: origin.observed_at,
        claims: claims(&posture.interfaces),
        role: judgement.role,
        level: judgement.level,
        reasons: judgement.reasons,
        judged_at: now(),
        valid_until: origin.valid_until,
    }
}

/// The same endpoint judged without its posture, which has run out.
pub fn decide_silent(last: Decision, judgement: Judgement) -> Decision {
    Decision {
        role: judgement.role,
        level: judgement.level,
        reasons: judgement.reasons,
        judged_at: now(),
        valid_until: None,
        ..last
    }
}

/// Whether gateways do the same on both. Every connection has another port, and every report its own
/// time: neither is news, unless the port is all that tells which host the endpoint is.
pub fn is_same_for_gateways(one: &Decision, other: &Decision) -> bool {
    let essence = |decision: &Decision| Decision {
        observed: decision.observed.map(|observed| {
            let port = if is_itself(decision) {
                0
            } else {
                observed.port()
            };
            (observed.ip(), port).into()
        }),
        observed_at: None,
        judged_at: Timestamp::UNIX_EPOCH,
        valid_until: None,
        ..decision.clone()
    };
    one.valid_until.is_some() == other.valid_until.is_some() && essence(one) == essence(other)
}

/// Whether the endpoint was observed at an address that it says to have. Otherwise something on the way may
/// have translated it, and it may share the address with others.
fn is_itself(decision: &Decision) -> bool {
    decision.observed.is_none_or(|observed| {
        let address = observed.ip();
        let mut claims = decision.claims.iter();
        address.is_loopback() || claims.any(|claim| claim.address == address)
    })
}

/// The current time as decisions carry it; nobody reads beyond milliseconds.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

/// The addresses that a gateway can hold against its neighbours: those with a MAC address.
fn claims(interfaces: &[Interface]) -> Vec<Claim> {
    let mut claims: Vec<_> = interfaces.iter().flat_map(claims_of).collect();
    // In one order, so that a report in another is no news.
    claims.sort_unstable_by(|a, b| (a.address, &a.mac).cmp(&(b.address, &b.mac)));
    claims.dedup();
    claims
}

fn claims_of(interface: &Interface) -> Vec<Claim> {
    let mac = interface.mac.to_ascii_lowercase();
    if !is_unicast_mac(&mac) {
        return vec![];
    }
    let addresses = interface.addresses.iter().map(IpAddr::to_canonical);
    addresses
        .filter(|ip| !ip.is_loopback() && !ip.is_multicast() && !ip.is_unspecified())
        .map(|address| Claim {
            address,
            mac: mac.clone(),
        })
        .collect()
}

/// Whether this is `aa:bb:cc:dd:ee:ff` and the address of one interface.
fn is_unicast_mac(mac: &str) -> bool {
    let is_byte = |pair: &str| pair.len() == 2 && pair.bytes().all(|c| c.is_ascii_hexdigit());
    let is_zero = mac.bytes().all(|c| c == b'0' || c == b':');
    // The lowest bit of the first byte marks a group.
    let is_group = mac
        .as_bytes()
        .get(1)
        .is_some_and(|c| b"13579bdf".contains(c));
    mac.split(':').count() == 6 && mac.split(':').all(is_byte) && !is_zero && !is_group
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(mac: &str, addresses: &[&str]) -> Interface {
        let addresses = addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        Interface {
            name: "eth0".to_owned(),
            mac: mac.to_owned(),
            addresses,
        }
    }

    fn observed_at(port: u16, claimed: &[&str]) -> Decision {
        let claim = |address: &&str| Claim {
            address: address.parse().unwrap(),
            mac: "02:00:00:00:00:01".to_owned(),
        };
        Decision {
            endpoint: "a".to_owned(),
            name: String::new(),
            owner: None,
            zone: "lan".to_owned(),
            observed: Some(([198, 51, 100, 1], port).into()),
            observed_by: None,
            observed_at: Some(now()),
            claims: claimed.iter().map(claim).collect(),
            role: "authorized".to_owned(),
            level: enforcer_protocol::judgement::Level::Safe,
            reasons: vec![],
            judged_at: now(),
            valid_until: None,
        }
    }

    #[test]
    fn a_port_is_news_where_it_alone_tells_who_it_is() {
        let own = ["10.0.0.5", "198.51.100.1"];
        let is_same = |claims: &[&str]| {
            is_same_for_gateways(&observed_at(1, claims), &observed_at(2, claims))
        };
        assert!(is_same(&own), "not translated");
        assert!(!is_same(&own[..1]), "translated, perhaps");
        let repeated = [observed_at(1, &[]), observed_at(1, &[])];
        assert!(is_same_for_gateways(&repeated[0], &repeated[1]));
    }

    #[test]
    fn claims_are_addresses_that_neighbours_can_have() {
        let mac = "02:AB:00:00:00:01";
        let found = claims(&[
            interface(
                mac,
                &[
                    "10.0.0.5",
                    "::ffff:10.0.0.6",
                    "127.0.0.1",
                    "224.0.0.1",
                    "::",
                ],
            ),
            interface(mac, &["fe80::1", "10.0.0.5"]),
            interface("00:00:00:00:00:00", &["10.0.0.7"]),
            interface("", &["10.0.0.8"]),
            interface("ff:ff:ff:ff:ff:ff", &["10.0.0.9"]),
            interface("+2:00:00:00:00:01", &["10.0.0.9"]),
        ]);
        let addresses: Vec<_> = found
            .iter()
            .map(|claim| claim.address.to_string())
            .collect();
        assert_eq!(addresses, ["10.0.0.5", "10.0.0.6", "fe80::1"]);
        assert!(found.iter().all(|claim| claim.mac == "02:ab:00:00:00:01"));
    }
}
