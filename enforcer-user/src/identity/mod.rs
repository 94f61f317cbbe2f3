//! Who a decision is about: from what the server saw to hosts of this gateway.
//!
//! The address that the server saw an endpoint report from counts. An address that the endpoint merely
//! claims counts only when the gateway has seen one of its MAC addresses at it, in the kernel's neighbour
//! table or as the sender of a packet. [`evidence`] says which MAC address each host is bound to.

mod endpoint;
pub mod evidence;
mod mac;
pub mod neighbours;
mod seen;
mod whereabouts;
mod zones;

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
};

use enforcer_common::host::{Address, Host};
use enforcer_protocol::decision::{Claim, Decision};

use seen::Seen;

pub use endpoint::{Bound, EndpointId};
pub use mac::{Mac, MacError};
pub use whereabouts::{How, Whereabouts};
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
    /// Zones in which hosts are bound to no MAC address.
    loose_zones: HashSet<u32>,
    endpoints: HashMap<EndpointId, Addresses>,
    /// Which endpoints were seen as a host, or claim to be it.
    parties: HashMap<Host, HashSet<EndpointId>>,
    /// Where the server saw endpoints that are there no longer.
    left: HashMap<EndpointId, SocketAddr>,
    seen: Seen,
}

/// What is said of an endpoint's addresses.
#[derive(Clone, Debug, Default)]
struct Addresses {
    observed: Option<Host>,
    /// The end of the connection that it was observed by.
    seen_from: Option<SocketAddr>,
    claims: Vec<(Host, Mac)>,
    /// It sends from one address with several of its MAC addresses, so that it is bound to none.
    is_loose: bool,
}

impl Addresses {
    /// Whether it says to have an interface with this MAC address.
    fn has(&self, mac: Mac) -> bool {
        self.claims.iter().any(|(_, own)| *own == mac)
    }

    /// Every host that it may be.
    fn hosts(&self) -> impl Iterator<Item = Host> {
        let claimed = self.claims.iter().map(|(host, _)| *host);
        claimed.chain(self.observed)
    }

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
            loose_zones: HashSet::new(),
            endpoints: HashMap::new(),
            parties: HashMap::new(),
            left: HashMap::new(),
            seen: Seen::default(),
        }
    }

    /// The same, binding nobody in these zones to a MAC address.
    #[must_use]
    pub fn loose_in(mut self, zones: HashSet<u32>) -> Self {
        self.loose_zones = zones;
        self
    }

    /// The gateway has these addresses now.
    pub fn set_own(&mut self, own: HashSet<Host>) {
        self.own = own;
    }

    /// Which hosts the endpoint of this decision is. Remembered, since what is seen later may change it.
    pub fn bind(&mut self, decision: &Decision) -> Binding {
        let endpoint = EndpointId::from(decision.endpoint.as_str());
        self.unlink(&endpoint);
        let Some(zone) = self.zones.number(&decision.zone) else {
            let zone = decision.zone.clone();
            return Binding {
                hosts: Vec::new(),
                doubts: vec![Doubt::UnknownZone { endpoint, zone }],
            };
        };
        let (mut addresses, mut doubts) = read(&endpoint, zone, decision);
        addresses.forget(&self.own);
        if self.left.contains_key(&endpoint)
            && self.left.get(&endpoint) == addresses.seen_from.as_ref()
        {
            addresses.observed = None;
        } else {
            self.left.remove(&endpoint);
        }
        for host in addresses.hosts() {
            let parties = self.parties.entry(host).or_default();
            parties.insert(endpoint.clone());
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
        self.parties.clear();
        let decisions = decisions.into_iter();
        let bindings = decisions.map(|decision| self.bind(decision)).collect();
        self.left
            .retain(|endpoint, _| self.endpoints.contains_key(endpoint));
        bindings
    }

    /// Forgets an endpoint that is no longer decided.
    pub fn forget(&mut self, endpoint: &EndpointId) {
        self.left.remove(endpoint);
        self.unlink(endpoint);
    }

    fn unlink(&mut self, endpoint: &EndpointId) {
        let Some(addresses) = self.endpoints.remove(endpoint) else {
            return;
        };
        for host in addresses.hosts() {
            let Some(parties) = self.parties.get_mut(&host) else {
                continue;
            };
            parties.remove(endpoint);
            if parties.is_empty() {
                self.parties.remove(&host);
            }
        }
    }

    fn resolve(&self, endpoint: &EndpointId, addresses: &Addresses) -> Binding {
        let mut binding = Binding::default();
        let is_bound = |hosts: &[Bound], host: Host| hosts.iter().any(|bound| bound.host == host);
        for &(host, claimed) in &addresses.claims {
            match self.seen.place(&host).map(|place| place.mac) {
                _ if is_bound(&binding.hosts, host) => {}
                Some(seen) if addresses.has(seen) => {
                    let is_loose = addresses.is_loose || self.loose_zones.contains(&host.zone);
                    let mac = (!is_loose).then_some(seen);
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
        let observed = addresses.observed;
        if let Some(host) = observed.filter(|host| !is_bound(&binding.hosts, *host)) {
            // What it says of itself and what answers there contradict each other: then neither binds it.
            let is_claimed = addresses.claims.iter().any(|(claimed, _)| *claimed == host);
            let mac = self.bound(&host).filter(|_| !is_claimed);
            binding.hosts.push(Bound { host, mac });
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
        seen_from: decision.observed,
        ..Addresses::default()
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
