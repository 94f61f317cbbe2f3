//! Frames at random: rows of the table, packets built layer by layer, and what becomes of them when bytes change.

mod discovery;
mod flow;
mod link;
mod mutate;
mod network;
mod upper;

use std::net::{IpAddr, Ipv6Addr};

use rand::{Rng, RngExt, rngs::SmallRng, seq::IndexedRandom};

use super::site::{Site, mac};
use crate::table::{Row, rows};
use enforcer_common::{decide::Direction, host::Family};
use flow::Flows;
pub use upper::checksum;

/// The longest frame that the kernel runs in one piece.
pub const LONGEST: usize = 3_400;

/// Frames of before that bytes are taken from.
const RECENT: usize = 32;

/// Makes frames.
pub struct Maker {
    rng: SmallRng,
    site: Site,
    rows: Vec<Row>,
    recent: Vec<Vec<u8>>,
    flows: Flows,
    /// Which way the segment before went, if that was one.
    behind: Option<Direction>,
}

/// A frame that was made.
pub struct Made {
    /// Its bytes.
    pub frame: Vec<u8>,
    /// Which way it would travel, where that can be said.
    pub way: Option<Direction>,
}

impl Maker {
    /// Makes frames between addresses of this site.
    pub fn new(rng: SmallRng, site: Site) -> Self {
        Self {
            rng,
            site,
            rows: rows(),
            recent: vec![Vec::new()],
            flows: Flows::default(),
            behind: None,
        }
    }

    /// The source of chance, for what else happens.
    pub fn rng(&mut self) -> &mut SmallRng {
        &mut self.rng
    }

    /// The next frame.
    pub fn frame(&mut self) -> Made {
        let mut made = match self.behind.take() {
            Some(way) if seldom(&mut self.rng, 4) => (self.no_packet(), Some(way)),
            _ => self.fresh(),
        };
        if seldom(&mut self.rng, 4) {
            let other = self.recent.choose(&mut self.rng).expect("some frame");
            mutate::some(&mut self.rng, &mut made.0, other);
        }
        let (mut frame, way) = made;
        frame.truncate(LONGEST);
        self.remember(&frame);
        Made { frame, way }
    }

    fn fresh(&mut self) -> (Vec<u8>, Option<Direction>) {
        let frame = match self.rng.random_range(0..100) {
            0..15 => return self.row(),
            15..30 => {
                let (frame, way) = self.flows.segment(&mut self.rng, self.site);
                self.behind = Some(way);
                return (frame, Some(way));
            }
            30..77 => self.packet(),
            77..85 => self.discovery(),
            85..96 => self.no_packet(),
            _ => self.noise(),
        };
        (frame, None)
    }

    fn no_packet(&mut self) -> Vec<u8> {
        if self.rng.random() {
            link::arp(&mut self.rng, self.site)
        } else {
            link::neighbours(&mut self.rng)
        }
    }

    fn remember(&mut self, frame: &[u8]) {
        if self.recent.len() < RECENT {
            return self.recent.push(frame.to_vec());
        }
        let place = self.rng.random_range(0..RECENT);
        self.recent[place] = frame.to_vec();
    }

    /// A frame that no length field can tell the length of, as segmentation offload makes them.
    pub fn huge(&mut self) -> Vec<u8> {
        let mut frame = self.packet();
        // Where the length of an untagged packet stands, of one family or the other.
        let at = if frame[12..14] == [0x08, 0] { 16 } else { 18 };
        if self.rng.random_ratio(9, 10)
            && let Some(length) = frame.get_mut(at..at + 2)
        {
            length.fill(0);
        }
        let length = *[65_535, 65_549, 65_550, 65_570, 65_600, 70_000, 200_000]
            .choose(&mut self.rng)
            .expect("some lengths");
        frame.resize(length, 0);
        frame
    }

    fn row(&mut self) -> (Vec<u8>, Option<Direction>) {
        let row = *self.rows.choose(&mut self.rng).expect("some rows");
        let family = *row.families.choose(&mut self.rng).expect("some family");
        let place = self.site.place(&mut self.rng, family);
        ((row.packet)(&place), Some(row.way))
    }

    fn packet(&mut self) -> Vec<u8> {
        let rng = &mut self.rng;
        let family = family(rng);
        let (from, to) = (
            self.site.address(rng, family),
            self.site.address(rng, family),
        );
        let hops = *[64, 64, 64, 255, 1, 0].choose(rng).expect("some");
        let (protocol, body) = upper::any(rng, from, to);
        let (kind, packet) = network::any(rng, (from, to), hops, protocol, body);
        link::frame(rng, kind, &packet)
    }

    fn discovery(&mut self) -> Vec<u8> {
        let rng = &mut self.rng;
        let mut address = || match self.site.address(rng, Family::V6) {
            IpAddr::V6(address) => address,
            IpAddr::V4(_) => Ipv6Addr::UNSPECIFIED,
        };
        let (from, to, target) = (address(), address(), address());
        let body = discovery::message(rng, target);
        let body = upper::summed(rng, from.into(), to.into(), 58, body, 2);
        let hops = if rng.random_ratio(9, 10) { 255 } else { 64 };
        let (kind, packet) = network::any(rng, (from.into(), to.into()), hops, 58, body);
        link::frame(rng, kind, &packet)
    }

    fn noise(&mut self) -> Vec<u8> {
        let length = self.rng.random_range(0..120);
        let mut frame = vec![0; length];
        self.rng.fill(&mut frame[..]);
        if let Some(kind) = frame.get_mut(12..14)
            && self.rng.random()
        {
            let known: u16 = *[0x0800, 0x86dd, 0x8100]
                .choose(&mut self.rng)
                .expect("some");
            kind.copy_from_slice(&known.to_be_bytes());
        }
        frame
    }
}

fn family(rng: &mut impl Rng) -> Family {
    if rng.random() { Family::V4 } else { Family::V6 }
}

/// True in one of `times` cases.
fn seldom(rng: &mut impl Rng, times: u32) -> bool {
    rng.random_ratio(1, times)
}
