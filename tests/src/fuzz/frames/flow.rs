//! Segments of few flows, so that what the datapath remembers of them is met again.

use std::net::SocketAddr;

use rand::{Rng, RngExt, seq::IndexedRandom};

use super::family;
use crate::{
    fixture::{self, Tcp, v4, v6},
    fuzz::site::Site,
    gate::PORTAL,
};
use enforcer_common::decide::Direction;

/// Flows at once.
const FLOWS: usize = 8;

/// Hosts with servers.
#[derive(Default)]
pub struct Flows(Vec<(SocketAddr, SocketAddr)>);

impl Flows {
    /// A segment of a flow, from one end or the other, or what the portal says in the place of its server.
    pub fn segment(&mut self, rng: &mut impl Rng, site: Site) -> (Vec<u8>, Direction) {
        if self.0.len() < FLOWS || rng.random_ratio(1, 12) {
            let flow = flow(rng, site);
            let place = rng.random_range(0..=self.0.len().min(FLOWS - 1));
            self.0.truncate(FLOWS - 1);
            self.0.insert(place, flow);
        }
        let (host, server) = *self.0.choose(rng).expect("some flow");
        let portal = SocketAddr::new(if host.is_ipv4() { v4(1) } else { v6(1) }, PORTAL);
        let (from, to, kind) = match rng.random_range(0..10) {
            0..3 => (host, server, Tcp::Syn),
            3..6 => (host, server, Tcp::Data),
            6 => (server, host, Tcp::Data),
            7 => (portal, host, Tcp::SynAck),
            _ => (portal, host, Tcp::Data),
        };
        let payload = if kind == Tcp::Data { &b"data"[..] } else { b"" };
        let way = if from == host {
            Direction::FromHost
        } else {
            Direction::ToHost
        };
        (fixture::tcp(from, to, kind, payload), way)
    }
}

fn flow(rng: &mut impl Rng, site: Site) -> (SocketAddr, SocketAddr) {
    let family = family(rng);
    let port = *[80, 80, 80, 443, PORTAL].choose(rng).expect("some");
    let host = SocketAddr::new(site.host(rng, family), rng.random_range(40_000..40_004));
    (host, SocketAddr::new(site.address(rng, family), port))
}
