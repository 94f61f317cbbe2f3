//! From a judgement to what gateways are told.

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
    pub observed: Option<std::net::SocketAddr>,
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
/// time: neither is news.
pub fn is_same_for_gateways(one: &Decision, other: &Decision) -> bool {
    let essence = |decision: &Decision| Decision {
        observed: decision.observed.map(|observed| (observed.ip(), 0).into()),
        judged_at: Timestamp::UNIX_EPOCH,
        valid_until: None,
        ..decision.clone()
    };
    one.valid_until.is_some() == other.valid_until.is_some() && essence(one) == essence(other)
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
    let addresses = interface
        .addresses
        .iter()
        .map(|address| address.to_canonical());
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
    let mut bytes = mac.split(':').map(|pair| match pair.len() {
        2 => u8::from_str_radix(pair, 16).ok(),
        _ => None,
    });
    let Some(Some(first)) = bytes.next() else {
        return false;
    };
    let rest: Option<Vec<u8>> = bytes.collect();
    let Some(rest) = rest else { return false };
    let is_zero = first == 0 && rest.iter().all(|byte| *byte == 0);
    rest.len() == 5 && first & 1 == 0 && !is_zero
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
