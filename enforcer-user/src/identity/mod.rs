//! Who a decision is about: from what the server saw to hosts of this gateway.
//!
//! The address that the server saw an endpoint report from counts. An address that the endpoint merely
//! claims counts only when the gateway has seen the claimed MAC address at it, in the kernel's neighbour
//! table or as the sender of a packet.

mod endpoint;
mod mac;
pub mod neighbours;
mod seen;
mod zones;

use std::collections::{HashMap, HashSet};

use enforcer_common::host::{Address, Host};
use enforcer_protocol::decision::{Claim, Decision};

use seen::Seen;

pub use endpoint::{Bound, EndpointId};
pub use mac::{Mac, MacError};
pub use zones::Zones;

/// The most addresses that one endpoint may claim: a bound against one that claims the whole network.
pub const MAX_CLAIMS: usize = 64;

/// Something about an endpoint's addresses that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It is in a zone that this gateway does not have.
    #[error(
        "endpoint {endpoint} is in zone `{zone}`, which this gateway does not have: nothing is decided by \
         it here; add the zone to an interface, or give the endpoint a token of another zone"
    )]
    UnknownZone {
        /// The endpoint.
        endpoint: EndpointId,
        /// The zone.
        zone: String,
    },
    /// It claims an address with something that is no MAC address.
    #[error(
        "endpoint {endpoint} claims {}, but {source}; the claim is ignored",
        host.address
    )]
    NoMac {
        /// The endpoint.
        endpoint: EndpointId,
        /// The host that it claims to be.
        host: Host,
        /// What is wrong.
        source: MacError,
    },
    /// It claims an address at which another MAC address is seen.
    #[error(
        "endpoint {endpoint} claims {} with the MAC address {claimed}, but {seen} is seen there; the claim \
         changes nothing",
        host.address
    )]
    OtherMac {
        /// The endpoint.
        endpoint: EndpointId,
        /// The host that it claims to be.
        host: Host,
        /// The MAC address that it claims to have there.
        claimed: Mac,
        /// The MAC address that is seen there.
        seen: Mac,
    },
    /// It claims more addresses than are looked at.
    #[error(
        "endpoint {endpoint} claims {count} addresses; only the first {MAX_CLAIMS} are looked at"
    )]
    TooManyClaims {
        /// The endpoint.
        endpoint: EndpointId,
        /// How many it claims.
        count: usize,
    },
}

/// Which hosts an endpoint is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The hosts.
    pub hosts: Vec<Bound>,
    /// What the operator should know.
    pub doubts: Vec<Doubt>,
}

/// An endpoint that has other hosts since something new was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebound {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// All its hosts now, and what the operator should know of them.
    pub binding: Binding,
}

/// Which hosts the endpoints of one source are.
#[derive(Debug)]
pub struct Identity {
    zones: Zones,
    /// The gateway's own addresses, which no endpoint has.
    own: HashSet<Host>,
    endpoints: HashMap<EndpointId, Addresses>,
    /// Which endpoints claim a host.
    claimants: HashMap<Host, HashSet<EndpointId>>,
    seen: Seen,
}

/// What is said of an endpoint's addresses.
#[derive(Clone, Debug, Default)]
struct Addresses {
    observed: Option<Host>,
    claims: Vec<(Host, Mac)>,
}

impl Addresses {
    /// Takes away what no endpoint can have.
    fn forget(&mut self, own: &HashSet<Host>) {
        self.observed = self.observed.filter(|host| !own.contains(host));
        self.claims.retain(|(host, _)| !own.contains(host));
    }
}

impl Identity {
    /// Nobody yet, in these zones, on a gateway with these addresses.
    pub fn new(zones: Zones, own: HashSet<Host>) -> Self {
        Self {
            zones,
            own,
            endpoints: HashMap::new(),
            claimants: HashMap::new(),
            seen: Seen::default(),
        }
    }

    /// Which hosts the endpoint of this decision is. Remembered, since what is seen later may change it.
    pub fn bind(&mut self, decision: &Decision) -> Binding {
        let endpoint = EndpointId::from(decision.endpoint.as_str());
        self.forget(&endpoint);
        let Some(zone) = self.zones.number(&decision.zone) else {
            let zone = decision.zone.clone();
            return Binding {
                hosts: Vec::new(),
                doubts: vec![Doubt::UnknownZone { endpoint, zone }],
            };
        };
        let (mut addresses, mut doubts) = read(&endpoint, zone, decision);
        addresses.forget(&self.own);
        for (host, _) in &addresses.claims {
            let claimants = self.claimants.entry(*host).or_default();
            claimants.insert(endpoint.clone());
        }
        let mut binding = self.resolve(&endpoint, &addresses);
        self.endpoints.insert(endpoint, addresses);
        doubts.append(&mut binding.doubts);
        Binding { doubts, ..binding }
    }

    /// The same for a whole snapshot: endpoints that are not in it are forgotten.
    pub fn bind_all<'a>(
        &mut self,
        decisions: impl IntoIterator<Item = &'a Decision>,
    ) -> Vec<Binding> {
        self.endpoints.clear();
        self.claimants.clear();
        let decisions = decisions.into_iter();
        decisions.map(|decision| self.bind(decision)).collect()
    }

    /// Forgets an endpoint that is no longer decided.
    pub fn forget(&mut self, endpoint: &EndpointId) {
        let Some(addresses) = self.endpoints.remove(endpoint) else {
            return;
        };
        for (host, _) in addresses.claims {
            let Some(claimants) = self.claimants.get_mut(&host) else {
                continue;
            };
            claimants.remove(endpoint);
            if claimants.is_empty() {
                self.claimants.remove(&host);
            }
        }
    }

    /// A packet came from this host with this MAC address. Yields the endpoints that have other hosts
    /// since.
    pub fn sight(&mut self, host: Host, mac: Mac) -> Vec<Rebound> {
        self.see(host, |seen| seen.sight(host, mac))
    }

    /// The kernel has this neighbour, or with `None` has it no longer. Yields the endpoints that have
    /// other hosts since.
    pub fn neighbour(&mut self, host: Host, mac: Option<Mac>) -> Vec<Rebound> {
        self.see(host, |seen| seen.neighbour(host, mac))
    }

    fn see(&mut self, host: Host, note: impl FnOnce(&mut Seen)) -> Vec<Rebound> {
        let before = self.seen.mac(&host);
        note(&mut self.seen);
        if before == self.seen.mac(&host) {
            return Vec::new();
        }
        let claimants = self.claimants.get(&host).into_iter().flatten();
        claimants
            .filter_map(|endpoint| {
                let addresses = self.endpoints.get(endpoint)?;
                let (endpoint, binding) = (endpoint.clone(), self.resolve(endpoint, addresses));
                Some(Rebound { endpoint, binding })
            })
            .collect()
    }

    fn resolve(&self, endpoint: &EndpointId, addresses: &Addresses) -> Binding {
        let mut binding = Binding::default();
        for &(host, claimed) in &addresses.claims {
            match self.seen.mac(&host) {
                Some(seen) if seen == claimed => {
                    let mac = Some(claimed);
                    binding.hosts.push(Bound { host, mac });
                }
                Some(seen) => binding.doubts.push(Doubt::OtherMac {
                    endpoint: endpoint.clone(),
                    host,
                    claimed,
                    seen,
                }),
                None => {}
            }
        }
        let is_bound = |host: &Host| binding.hosts.iter().any(|bound| bound.host == *host);
        if let Some(host) = addresses.observed.filter(|host| !is_bound(host)) {
            binding.hosts.push(Bound { host, mac: None });
        }
        binding
    }
}

fn read(endpoint: &EndpointId, zone: u32, decision: &Decision) -> (Addresses, Vec<Doubt>) {
    let host = |address: Address| Host { zone, address };
    let observed = decision
        .observed
        .map(|observed| Address::from(observed.ip()));
    let mut addresses = Addresses {
        observed: observed.filter(|address| !address.is_martian()).map(host),
        claims: Vec::new(),
    };
    let mut doubts = Vec::new();
    if decision.claims.len() > MAX_CLAIMS {
        doubts.push(Doubt::TooManyClaims {
            endpoint: endpoint.clone(),
            count: decision.claims.len(),
        });
    }
    for Claim { address, mac } in decision.claims.iter().take(MAX_CLAIMS) {
        let host = host(Address::from(*address));
        match mac.parse() {
            _ if host.address.is_martian() => {}
            Ok(mac) => addresses.claims.push((host, mac)),
            Err(source) => doubts.push(Doubt::NoMac {
                endpoint: endpoint.clone(),
                host,
                source,
            }),
        }
    }
    (addresses, doubts)
}

#[cfg(test)]
mod tests;
