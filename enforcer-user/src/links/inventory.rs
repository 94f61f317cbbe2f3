//! Which interfaces packets can go through, and whether each of them is judged.

use std::{fmt, fs};

use super::{Link, all};
use crate::netlink::AnswerError;

/// An interface, and whether this machine forwards packets that come in by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// The interface.
    pub link: Link,
    /// Whether it forwards IPv4.
    pub v4: bool,
    /// Whether it forwards IPv6.
    pub v6: bool,
}

impl Forwarding {
    /// Every interface of the network namespace of this thread.
    pub fn read() -> Result<Vec<Self>, AnswerError> {
        let links = all()?.into_iter();
        let forwarding = links.map(|link| Self {
            v4: forwards(&link.name, "ipv4"),
            v6: forwards(&link.name, "ipv6"),
            link,
        });
        Ok(forwarding.collect())
    }

    /// Whether packets can go through it.
    fn is_way(&self) -> bool {
        self.link.is_up && !self.link.is_loopback && (self.v4 || self.v6)
    }
}

/// An interface that has no such file speaks no such protocol.
fn forwards(interface: &str, family: &str) -> bool {
    let path = format!("/proc/sys/net/{family}/conf/{interface}/forwarding");
    fs::read_to_string(path).is_ok_and(|text| text.trim() != "0")
}

/// How an interface that forwards stands to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// The gateway's programs are on it.
    Judged,
    /// The configuration names it: no hosts are behind it.
    Uplink,
    /// It is a part of one that is judged, and hands everything up to it.
    Part {
        /// The one that is judged.
        of: String,
        /// What it is a part of: a bridge, a bond.
        kind: String,
    },
    /// It stands on one that is judged, through whose programs its packets go.
    Above {
        /// The one that is judged.
        lower: String,
    },
    /// Others that are judged stand on it; what comes in by itself is not.
    Below {
        /// One that stands on it.
        upper: String,
    },
    /// Nothing judges what comes in by it.
    None,
}

impl Cover {
    /// One word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Uplink => "uplink",
            Self::Part { .. } => "part",
            Self::Above { .. } => "above",
            Self::Below { .. } => "below",
            Self::None => "uncovered",
        }
    }

    /// Whether nobody can go through unjudged.
    pub const fn is_whole(&self) -> bool {
        !matches!(self, Self::Below { .. } | Self::None)
    }
}

impl fmt::Display for Cover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Judged => f.write_str("judged in both directions"),
            Self::Uplink => f.write_str("an uplink by the configuration: not judged"),
            Self::Part { of, kind } => write!(
                f,
                "a port of the {kind} `{of}`, which is judged; what passes between its ports is not routed, and not judged"
            ),
            Self::Above { lower } => write!(f, "judged on `{lower}`, on which it stands"),
            Self::Below { upper } => write!(
                f,
                "only what belongs to `{upper}`, which stands on it, is judged; frames without its tag are not"
            ),
            Self::None => {
                f.write_str("UNCOVERED: packets that come in by it are forwarded unjudged")
            }
        }
    }
}

/// An interface that forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its name.
    pub interface: String,
    /// Whether it forwards IPv4.
    pub v4: bool,
    /// Whether it forwards IPv6.
    pub v6: bool,
    /// How it stands to the gateway.
    pub cover: Cover,
}

impl Passage {
    /// What to do about it, where it is not whole.
    pub fn remedy(&self) -> Option<String> {
        let name = &self.interface;
        let off = |family: &str| format!("`sysctl -w net.{family}.conf.{name}.forwarding=0`");
        let families = [(self.v4, "ipv4"), (self.v6, "ipv6")];
        let forwarding = families.iter().filter(|(is, _)| *is);
        let off: Vec<_> = forwarding.map(|(_, family)| off(family)).collect();
        let off = off.join(" and ");
        match self.cover {
            Cover::None => Some(format!(
                "add it as an [[interface]] where hosts are behind it, to `uplinks` where none are, or keep it from forwarding: {off}"
            )),
            Cover::Below { .. } => Some(format!(
                "add it as an [[interface]] with its VLANs instead, or keep it from forwarding by itself: {off}"
            )),
            _ => None,
        }
    }
}

/// Interfaces on which others stand whose packets go through the programs of the lower one.
const STANDING: [&str; 5] = ["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"];

/// Every interface that forwards, and how it stands to the gateway, which judges on some and has uplinks.
pub fn inventory(all: &[Forwarding], judged: &[String], uplinks: &[String]) -> Vec<Passage> {
    let is_judged = |link: &Link| judged.contains(&link.name);
    let find = |index: Option<u32>| {
        all.iter()
            .map(|one| &one.link)
            .find(|link| Some(link.index) == index)
    };
    let lower = |link: &Link| {
        let stands = STANDING.contains(&link.kind.as_str());
        stands.then(|| find(link.lower)).flatten()
    };
    let cover = |link: &Link| {
        if is_judged(link) {
            return Cover::Judged;
        }
        if uplinks.contains(&link.name) {
            return Cover::Uplink;
        }
        // A VLAN may stand on a bond, and that on its ports: a few steps at most.
        let mut below = lower(link);
        for _ in 0..4 {
            match below {
                Some(one) if is_judged(one) => {
                    let lower = one.name.clone();
                    return Cover::Above { lower };
                }
                Some(one) => below = lower(one),
                None => break,
            }
        }
        if let Some(of) = find(link.controller).filter(|of| is_judged(of)) {
            let (of, kind) = (of.name.clone(), of.kind.clone());
            return Cover::Part { of, kind };
        }
        // Of a bridge on which a judged VLAN stands, the ports hand everything up as well.
        let stands_on = |upper: &&Link, on: u32| {
            is_judged(upper) && lower(upper).is_some_and(|lower| lower.index == on)
        };
        let mut links = all.iter().map(|one| &one.link);
        match links.find(|upper| stands_on(upper, link.index)) {
            Some(upper) => Cover::Below {
                upper: upper.name.clone(),
            },
            None => Cover::None,
        }
    };
    let ways = all.iter().filter(|one| one.is_way());
    ways.map(|one| Passage {
        interface: one.link.name.clone(),
        v4: one.v4,
        v6: one.v6,
        cover: cover(&one.link),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(index: u32, name: &str, kind: &str, (controller, lower): (u32, u32)) -> Forwarding {
        let number = |index| (index != 0).then_some(index);
        Forwarding {
            link: Link {
                index,
                name: name.to_owned(),
                kind: kind.to_owned(),
                is_up: true,
                is_loopback: name == "lo",
                controller: number(controller),
                lower: number(lower),
                ..Link::default()
            },
            v4: true,
            v6: true,
        }
    }

    fn cover(all: &[Forwarding], judged: &[&str], name: &str) -> Option<Cover> {
        let judged: Vec<_> = judged.iter().map(ToString::to_string).collect();
        let found = inventory(all, &judged, &["wan0".to_owned()]);
        let found = found.into_iter().find(|one| one.interface == name);
        found.map(|one| one.cover)
    }

    #[test]
    fn each_way_is_judged_or_named() {
        let all = [
            one(1, "lo", "", (0, 0)),
            one(2, "eth0", "", (4, 0)),
            one(3, "wan0", "", (0, 0)),
            one(4, "br0", "bridge", (0, 0)),
            one(5, "br0.10", "vlan", (0, 4)),
            one(6, "over", "macvlan", (0, 5)),
            one(7, "veth0", "veth", (0, 4)),
            one(8, "tun0", "tun", (0, 0)),
        ];
        let on_bridge = |name| cover(&all, &["br0"], name);
        assert_eq!(on_bridge("lo"), None);
        assert_eq!(on_bridge("br0"), Some(Cover::Judged));
        assert_eq!(on_bridge("wan0"), Some(Cover::Uplink));
        assert_eq!(on_bridge("tun0"), Some(Cover::None));
        // The number behind a veth is that of its peer.
        assert_eq!(on_bridge("veth0"), Some(Cover::None));
        let (of, kind) = ("br0".to_owned(), "bridge".to_owned());
        assert_eq!(on_bridge("eth0"), Some(Cover::Part { of, kind }));
        let above = |lower: &str| {
            let lower = lower.to_owned();
            Some(Cover::Above { lower })
        };
        assert_eq!(on_bridge("br0.10"), above("br0"));
        assert_eq!(on_bridge("over"), above("br0"));
        let on_vlan = |name| cover(&all, &["br0.10"], name);
        let upper = "br0.10".to_owned();
        assert_eq!(on_vlan("br0"), Some(Cover::Below { upper }));
        assert_eq!(on_vlan("over"), above("br0.10"));
    }

    #[test]
    fn what_does_not_forward_is_no_way() {
        let mut all = [one(2, "eth0", "", (0, 0))];
        all[0].v4 = false;
        let found = inventory(&all, &[], &[]);
        assert!(!found[0].v4 && found[0].v6 && !found[0].cover.is_whole());
        let remedy = found[0].remedy().expect("a remedy");
        assert!(
            remedy.contains("net.ipv6.conf.eth0.forwarding=0"),
            "{remedy}"
        );
        assert!(!remedy.contains("ipv4"), "{remedy}");
        all[0].v6 = false;
        assert_eq!(inventory(&all, &[], &[]), []);
        all[0].v6 = true;
        all[0].link.is_up = false;
        assert_eq!(inventory(&all, &[], &[]), []);
    }
}
