//! Who a decision is about: from what the server saw to hosts of this gateway.
//!
//! The address that the server saw an endpoint report from counts; where this machine or a static mapping translates
//! on the way, the address that the connection was opened from ([`tracer`]). An address that the endpoint merely
//! claims counts only when the gateway has seen one of its MAC addresses at it, in the kernel's neighbour
//! table or as the sender of a packet. [`evidence`] says which MAC address each host is bound to.

mod doubt;
mod endpoint;
pub mod evidence;
pub mod kept;
mod mac;
pub mod neighbours;
mod observed;
mod seen;
mod statics;
mod traced;
pub mod tracer;
mod whereabouts;
mod zones;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
};

use enforcer_common::host::{Address, Host};
use enforcer_protocol::decision::{Claim, Decision};

use seen::Seen;
use traced::Trace;

pub use doubt::Doubt;
pub use endpoint::{Bound, EndpointId};
pub use mac::{Mac, MacError};
pub use observed::{Observed, Placed, Report};
pub use statics::{Overlap, Static, Statics, overlaps};
pub use whereabouts::{How, Whereabouts};
pub use zones::Zones;

/// The most addresses that one endpoint may claim: a bound against one that claims the whole network.
pub const MAX_CLAIMS: usize = 64;

/// Which hosts an endpoint is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The hosts.
    pub hosts: Vec<Bound>,
    /// Nothing but where it was seen is known of the endpoint: it has that address whoever is there, and nothing is
    /// remembered of it.
    pub by_address: bool,
    /// What the operator should know.
    pub doubts: Vec<Doubt>,
}

impl Binding {
    /// That of an endpoint of which only this is known.
    pub fn of_address(bound: Bound) -> Self {
        Self {
            hosts: vec![bound],
            by_address: true,
            doubts: Vec::new(),
        }
    }
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
    /// What was found of endpoints whose addresses are translated on the way to the server.
    traces: HashMap<EndpointId, Trace>,
    /// Whether that has changed since it was last kept.
    has_new_traces: bool,
    /// Endpoints of which that is still to be found out, by where the server saw them.
    untraced: BTreeMap<(SocketAddr, EndpointId), Report>,
    seen: Seen,
}

/// What is said of an endpoint's addresses.
#[derive(Clone, Debug, Default)]
struct Addresses {
    /// The zone of its token.
    zone: u32,
    observed: Option<Host>,
    /// Another zone in which the observed address is.
    elsewhere: Option<Elsewhere>,
    /// The end of the connection that it was observed by.
    seen_from: Option<SocketAddr>,
    /// The same with all that tells one connection from another.
    report: Option<Report>,
    claims: Vec<(Host, Mac)>,
    /// It sends from one address with several of its MAC addresses, so that it is bound to none.
    is_loose: bool,
}

/// A zone that is not the one of an endpoint's token.
#[derive(Clone, Copy, Debug)]
struct Elsewhere {
    zone: u32,
    /// It is only where the way to the address leads.
    by_route: bool,
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

    /// Takes where it was found, in the zone of its token.
    fn place(&mut self, zone: u32, observed: Option<Observed>) {
        let (address, found, by_route) = match observed {
            None | Some(Observed::Untraced) => return,
            Some(Observed::Itself(address)) => (address, None, false),
            Some(Observed::Behind { address, zone }) => (address, zone, true),
            Some(Observed::Fixed(host)) => (host.address, Some(host.zone), false),
        };
        let host = Host { zone, address };
        self.observed = Some(host).filter(|host| !host.address.is_martian());
        let found = found.filter(|found| *found != zone);
        self.elsewhere = found.map(|zone| Elsewhere { zone, by_route });
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
            traces: HashMap::new(),
            has_new_traces: false,
            untraced: BTreeMap::new(),
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

    /// Which hosts the endpoint of this decision is. Remembered where what is seen later may change it.
    pub fn bind<'a>(&mut self, placed: impl Into<Placed<'a>>) -> Binding {
        let placed = placed.into();
        let Placed { decision, observed } = placed;
        let endpoint = EndpointId::from(decision.endpoint.as_str());
        self.unlink(&endpoint);
        if let Some(bound) = self.by_address(placed) {
            self.left.remove(&endpoint);
            self.take_trace(&endpoint, None, None);
            return Binding::of_address(bound);
        }
        let Some(zone) = self.zones.number(&decision.zone) else {
            let zone = decision.zone.clone();
            return Binding {
                doubts: vec![Doubt::UnknownZone { endpoint, zone }],
                ..Binding::default()
            };
        };
        let (mut addresses, mut doubts) = read(&endpoint, zone, decision);
        self.take_trace(&endpoint, addresses.report, observed);
        addresses.place(zone, observed);
        addresses.forget(&self.own);
        if self.left.contains_key(&endpoint)
            && self.left.get(&endpoint) == addresses.seen_from.as_ref()
        {
            addresses.observed = None;
        } else {
            self.left.remove(&endpoint);
        }
        self.link(&endpoint, &addresses);
        let mut binding = self.resolve(&endpoint, &addresses);
        if let (Some(Observed::Untraced), Some(from), []) =
            (observed, decision.observed, &binding.hosts[..])
        {
            let endpoint = endpoint.clone();
            doubts.push(Doubt::Untraced { endpoint, from });
        }
        self.endpoints.insert(endpoint, addresses);
        doubts.append(&mut binding.doubts);
        Binding { doubts, ..binding }
    }

    /// The only host of an endpoint of which nothing is known but where it was seen.
    pub fn by_address(&self, placed: Placed<'_>) -> Option<Bound> {
        let Placed { decision, observed } = placed;
        let zone = self.zones.number(&decision.zone)?;
        let host = match observed? {
            Observed::Itself(address) => Host { zone, address },
            Observed::Fixed(host) => Some(host).filter(|host| host.zone == zone)?,
            Observed::Behind { .. } | Observed::Untraced => return None,
        };
        let is_no_host = host.address.is_martian() || self.own.contains(&host);
        let has_left = self.left.contains_key(decision.endpoint.as_str());
        if !decision.claims.is_empty() || is_no_host || has_left {
            return None;
        }
        let mac = self.bound(&host);
        Some(Bound { host, mac })
    }

    /// The same for all of a snapshot that are not known by their addresses alone: endpoints that are not among them are
    /// forgotten.
    pub fn bind_all<'a, P: Into<Placed<'a>>>(
        &mut self,
        decisions: impl IntoIterator<Item = P>,
    ) -> Vec<Binding> {
        self.endpoints.clear();
        self.parties.clear();
        self.untraced.clear();
        let decisions = decisions.into_iter();
        let bindings = decisions.map(|decision| self.bind(decision)).collect();
        self.left
            .retain(|endpoint, _| self.endpoints.contains_key(endpoint));
        self.traces
            .retain(|endpoint, _| self.endpoints.contains_key(endpoint));
        bindings
    }

    /// Forgets an endpoint that is no longer decided.
    pub fn forget(&mut self, endpoint: &EndpointId) {
        self.left.remove(endpoint);
        self.traces.remove(endpoint);
        self.unlink(endpoint);
    }

    fn link(&mut self, endpoint: &EndpointId, addresses: &Addresses) {
        for host in addresses.hosts() {
            let parties = self.parties.entry(host).or_default();
            parties.insert(endpoint.clone());
        }
    }

    fn unlink(&mut self, endpoint: &EndpointId) {
        let Some(addresses) = self.endpoints.remove(endpoint) else {
            return;
        };
        self.forget_untraced(endpoint, &addresses);
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
            if let Some(found) = self.found_elsewhere(host, addresses) {
                let zone = self.zone_name(host.zone);
                let endpoint = endpoint.clone();
                binding.doubts.push(Doubt::OtherZone {
                    endpoint,
                    zone,
                    host,
                    found,
                });
                return binding;
            }
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
    let mut addresses = Addresses {
        zone,
        seen_from: decision.observed,
        report: Report::of(decision),
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
