//! What follows from what the gateway sees at addresses.
//!
//! A host is bound to the MAC address that answered at its address when the gateway asked, and stays so while nobody
//! answers. The datapath drops what others send from that address, so that they cannot answer in its place either.
//! When others do send, the gateway asks the bound one again: if it answers, the others are impostors; if it does not,
//! the address is another's now, and what was decided of the device that had it counts there no longer.

use enforcer_common::host::Host;

use super::{
    EndpointId, Identity, Mac, Rebound,
    neighbours::{Evidence, Neighbour, Question},
    seen::Place,
};

/// What follows from something that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The endpoints that have other hosts since, or are bound otherwise.
    pub rebound: Vec<Rebound>,
    /// An address that is another device's since.
    pub moved: Option<Moved>,
    /// What should be found out.
    pub question: Option<Question>,
}

/// An address that is another device's now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The address.
    pub host: Host,
    /// Who had it, and no longer answers.
    pub from: Mac,
    /// Who was seen there since.
    pub to: Mac,
}

impl Identity {
    /// The MAC addresses that hosts were bound to under an earlier process.
    pub fn remember(&mut self, hosts: impl IntoIterator<Item = (Host, Mac)>) {
        for (host, mac) in hosts {
            let interface = None;
            self.seen.answer(host, Place { mac, interface });
        }
    }

    /// The MAC address that a host must send from when nothing but its address is decided: the one that answered
    /// there.
    pub fn bound(&self, host: &Host) -> Option<Mac> {
        if self.loose_zones.contains(&host.zone) {
            return None;
        }
        self.seen.answered(host).map(|place| place.mac)
    }

    /// What to ask so that a decided host can be bound: the kernel was only told where it is.
    pub fn unconfirmed(&self, host: &Host) -> Option<Question> {
        let told = self.seen.told(host)?;
        Some(question(*host, told))
    }

    /// A packet came from this host with this MAC address, while nothing was decided of it. Yields the endpoints
    /// that have other hosts since.
    pub fn sight(&mut self, host: Host, mac: Mac) -> Vec<Rebound> {
        self.see(host, |this| this.seen.sight(host, mac))
    }

    /// The kernel says something of a neighbour; `is_decided` when something is decided of it.
    pub fn neighbour(&mut self, neighbour: &Neighbour, is_decided: bool) -> News {
        let Neighbour {
            host,
            interface,
            evidence,
        } = *neighbour;
        let place = |mac| Place {
            mac,
            interface: Some(interface),
        };
        match evidence {
            Evidence::Answers(mac) => self.answers(host, place(mac)),
            Evidence::Told(mac) => self.told(host, place(mac), is_decided),
            Evidence::Silent => self.silent(host, interface),
            Evidence::Gone => News {
                rebound: self.see(host, |this| this.seen.forget(&host)),
                ..News::default()
            },
        }
    }

    /// A packet came from a bound host with another MAC address than the one that it is bound to.
    pub fn stranger(&mut self, host: Host, mac: Mac) -> News {
        let Some(place) = self.seen.place(&host).filter(|place| place.mac != mac) else {
            return News::default();
        };
        let rebound = self.loosen(host, place.mac, mac);
        if !rebound.is_empty() {
            return News {
                rebound,
                ..News::default()
            };
        }
        self.seen.suspect(host, mac);
        News {
            question: Some(question(host, place)),
            ..News::default()
        }
    }

    fn answers(&mut self, host: Host, place: Place) -> News {
        let before = self.seen.answered(&host).map(|before| before.mac);
        let moved = before.filter(|from| *from != place.mac).map(|from| Moved {
            host,
            from,
            to: place.mac,
        });
        let rebound = self.see(host, |this| {
            if let Some(moved) = &moved {
                this.leave(moved);
            }
            this.seen.answer(host, place);
        });
        News {
            rebound,
            moved,
            question: None,
        }
    }

    fn told(&mut self, host: Host, place: Place, is_decided: bool) -> News {
        match self.seen.answered(&host) {
            Some(answered) if answered.mac == place.mac => return News::default(),
            Some(_) if is_decided => return self.stranger(host, place.mac),
            _ => {}
        }
        let is_known = self.seen.told(&host) == Some(place);
        let rebound = self.see(host, |this| this.seen.tell(host, place));
        let ask = is_decided && !is_known;
        News {
            rebound,
            moved: None,
            question: ask.then(|| question(host, place)),
        }
    }

    fn silent(&mut self, host: Host, interface: u32) -> News {
        let place = self.seen.place(&host);
        let asked = place.filter(|place| place.interface.is_none_or(|at| at == interface));
        let found = asked.and_then(|place| Some((place, self.seen.take_suspect(&host)?)));
        let Some((place, to)) = found else {
            let rebound = self.see(host, |this| this.seen.forget(&host));
            return News {
                rebound,
                ..News::default()
            };
        };
        let from = place.mac;
        let moved = Moved { host, from, to };
        let rebound = self.see(host, |this| {
            this.leave(&moved);
            this.seen.vacate(host, to);
        });
        News {
            rebound,
            moved: Some(moved),
            question: None,
        }
    }

    /// Does this, and yields the endpoints that have other hosts since, or are bound otherwise.
    fn see(&mut self, host: Host, note: impl FnOnce(&mut Self)) -> Vec<Rebound> {
        let known = |this: &Self| {
            let places = [this.seen.place(&host), this.seen.answered(&host)];
            places.map(|place| place.map(|place| place.mac))
        };
        let before = known(self);
        note(self);
        if before == known(self) {
            return Vec::new();
        }
        let parties = self.parties.get(&host).into_iter().flatten();
        parties
            .filter_map(|endpoint| self.rebound(endpoint))
            .collect()
    }

    fn rebound(&self, endpoint: &EndpointId) -> Option<Rebound> {
        let addresses = self.endpoints.get(endpoint)?;
        Some(Rebound {
            endpoint: endpoint.clone(),
            binding: self.resolve(endpoint, addresses),
        })
    }

    /// The device that had an address is gone: endpoints that say to be that device have the address no longer, even
    /// if the server saw them there, until it sees them there again. Where an endpoint has never said which MAC
    /// address it has at the address, the decision is about whoever is there.
    fn leave(&mut self, moved: &Moved) {
        for endpoint in self.parties.get(&moved.host).into_iter().flatten() {
            let Some(addresses) = self.endpoints.get_mut(endpoint) else {
                continue;
            };
            let was_there = addresses.claims.contains(&(moved.host, moved.from));
            if was_there && !addresses.has(moved.to) && addresses.observed == Some(moved.host) {
                addresses.observed = None;
                self.left
                    .extend(addresses.seen_from.map(|from| (endpoint.clone(), from)));
            }
        }
    }

    /// A device may send from any of its interfaces: it is then bound to none. Yields the endpoints of which that is
    /// found.
    fn loosen(&mut self, host: Host, bound: Mac, mac: Mac) -> Vec<Rebound> {
        let parties = self.parties.get(&host).into_iter().flatten();
        let mut loosened = Vec::new();
        for endpoint in parties {
            let Some(addresses) = self.endpoints.get_mut(endpoint) else {
                continue;
            };
            if addresses.has(bound) && addresses.has(mac) {
                addresses.is_loose = true;
                loosened.push(endpoint.clone());
            }
        }
        let loosened = loosened.iter();
        loosened
            .filter_map(|endpoint| self.rebound(endpoint))
            .collect()
    }
}

fn question(host: Host, place: Place) -> Question {
    Question {
        host,
        mac: place.mac,
        interface: place.interface,
    }
}

#[cfg(test)]
mod tests;
