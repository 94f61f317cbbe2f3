//! A host that complies, and one beside it that is stopped and tries to get past the gateway.

use std::{net::IpAddr, process::Command};

use anyhow::ensure;
use enforcer_tests::{
    attack::MARK,
    gateway::Gateway,
    host::{ANSWERING, Host},
    lan::{SERVER, SERVER_V6, at},
    namespace::{Namespace, output},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    tap::{Tap, addresses, carries},
    wait,
};
use serde_json::Value;

/// The hosts' networks, by how their addresses begin.
const SERVERS: [&str; 3] = ["198.51.100.", "2001:db8:2:", "fe80:"];

/// The scene of an attack.
pub struct Scene<'a> {
    pub site: &'a Site,
    pub gateway: Gateway<'a>,
    /// Beside the servers.
    tap: Tap,
}

/// What a packet is to be counted as: hook, verdict and reason.
pub type Count = (&'static str, &'static str, &'static str);

impl<'a> Scene<'a> {
    /// The laptop complies, the desktop is in quarantine.
    pub fn new(site: &'a Site) -> anyhow::Result<Self> {
        let scene = Self::without_a_stopped_one(site)?;
        let bad = scene.attacker();
        let posture = Posture::bad("desktop").claiming(bad.v6);
        ensure!(site.report(bad, &posture)? == "quarantine");
        wait::until_so("the desktop is in quarantine", || {
            assert!(!bad.passes(at(SERVER_V6, HTTP)));
            let roles = [bad.v4, bad.v6].map(|address| scene.gateway.role(address));
            roles.iter().all(|role| role == "quarantine")
        });
        scene.tap.frames();
        Ok(scene)
    }

    /// The operator has let the laptop pass, and stopped the desktop; nothing else is known of them.
    pub fn of_the_operator(site: &'a Site) -> anyhow::Result<Self> {
        let scene = Self::begin(site)?;
        let (good, bad) = (scene.neighbour(), scene.attacker());
        for (host, word) in [(good, "allow"), (bad, "deny")] {
            for address in [host.v4, host.v6] {
                let address = address.to_string();
                site.control(&[word, &address, "--zone", "lan", "--reason", "a test"])?;
            }
        }
        scene.nothing_arrived();
        Ok(scene)
    }

    /// Nobody has been heard of.
    fn begin(site: &'a Site) -> anyhow::Result<Self> {
        // Whether somebody is still there is found out more quickly than by default.
        let hasty = ["ipv4", "ipv6"].map(|family| format!("{family}/neigh/lan0/retrans_time_ms"));
        let hasty: Vec<_> = hasty.iter().map(|path| (path.as_str(), "100")).collect();
        site.lan.gateway.set(&hasty)?;
        Ok(Self {
            site,
            gateway: site.start()?,
            tap: Tap::new(&site.lan.behind)?,
        })
    }

    /// The gateway ends at once, and is started again.
    pub fn restart(self) -> anyhow::Result<Self> {
        let Self { site, gateway, tap } = self;
        gateway.kill()?;
        let gateway = site.start()?;
        Ok(Self { site, gateway, tap })
    }

    /// Pulls the cable of the laptop out of the switch.
    pub fn unplug(&self) -> anyhow::Result<()> {
        ip(&self.site.lan.switch, "link set laptop down")
    }

    /// Puts it in again.
    pub fn plug(&self) -> anyhow::Result<()> {
        ip(&self.site.lan.switch, "link set laptop up")
    }

    /// The laptop complies, the desktop has not been heard of.
    pub fn without_a_stopped_one(site: &'a Site) -> anyhow::Result<Self> {
        let scene = Self::begin(site)?;
        let good = scene.neighbour();
        let posture = Posture::good("laptop").claiming(good.v6);
        ensure!(site.report(good, &posture)? == "authorized");
        wait::until_so("the laptop passes", || {
            good.passes(at(SERVER, HTTP)) && good.passes(at(SERVER_V6, HTTP))
        });
        Ok(scene)
    }

    /// The host that attacks.
    pub fn attacker(&self) -> &'a Host {
        &self.site.lan.desktop
    }

    /// The host beside it, which complies.
    pub fn neighbour(&self) -> &'a Host {
        &self.site.lan.laptop
    }

    /// How many packets have been counted so.
    pub fn counted(&self, (hook, verdict, reason): Count) -> u64 {
        self.gateway.packets(hook, verdict, reason)
    }

    /// Carries out an attack, and sees that so many packets of it are counted in each way, that nothing of it arrives
    /// at the servers, and that the host beside it notices nothing.
    #[track_caller]
    pub fn stops(
        &self,
        expected: &[(Count, u64)],
        attack: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let before: Vec<_> = expected.iter().map(|(as_, _)| self.counted(*as_)).collect();
        attack()?;
        let since = || {
            let now = expected.iter().map(|(as_, _)| self.counted(*as_));
            now.zip(&before)
                .map(|(now, before)| now - before)
                .collect::<Vec<_>>()
        };
        let is_all = || {
            since()
                .iter()
                .zip(expected)
                .all(|(found, (_, wanted))| found >= wanted)
        };
        let all = wait::within(ANSWERING, || is_all().then_some(()));
        assert!(all.is_some(), "{expected:?}, not {:?}", since());
        self.nothing_arrived();
        Ok(())
    }

    /// Nothing came to the servers but what the host that complies sends, to which they answer.
    #[track_caller]
    pub fn nothing_arrived(&self) {
        let good = self.neighbour();
        for server in [SERVER, SERVER_V6] {
            assert!(good.echoes(at(server, ECHO), ANSWERING), "{server}");
        }
        let arrived = self.tap.frames();
        assert!(
            arrived
                .iter()
                .any(|frame| addresses(frame).is_some_and(|(from, _)| from == good.v4))
        );
        let smuggled = arrived.iter().find(|frame| self.is_smuggled(frame));
        assert_eq!(smuggled, None, "arrived at the servers");
    }

    fn is_smuggled(&self, frame: &[u8]) -> bool {
        let good = self.neighbour();
        let is_of_servers = |from: &IpAddr| {
            let from = from.to_string();
            SERVERS.iter().any(|network| from.starts_with(network))
        };
        let stranger = addresses(frame)
            .is_some_and(|(from, _)| ![good.v4, good.v6].contains(&from) && !is_of_servers(&from));
        stranger || carries(frame, MARK.as_bytes())
    }

    /// Tags travel within frames, as on a cable, and not beside them.
    pub fn keep_tags_inside(&self) -> anyhow::Result<()> {
        let mut ethtool = self.site.lan.switch.command("ethtool");
        let off = ["txvlan", "off", "tx-vlan-stag-hw-insert", "off"];
        output(ethtool.args(["-K", "gateway"]).args(off)).map(drop)
    }

    /// The MAC address that a host is bound to.
    pub fn bound(&self, address: IpAddr) -> Option<String> {
        let told = self.site.control(&["explain", &address.to_string()]);
        let told = told.unwrap_or_default();
        let mut steps = told["steps"].as_array()?.iter();
        let binding = steps.find(|step| step["step"] == "binding")?;
        binding["found"].as_str().map(ToOwned::to_owned)
    }

    /// The MAC address that the gateway would send to.
    pub fn in_neighbour_table(&self, address: IpAddr) -> Option<String> {
        let gateway = self.site.lan.gateway.name();
        let mut ip = Command::new("ip");
        ip.args(["-n", gateway, "-json", "neigh", "show", "dev", "lan0"])
            .arg(address.to_string());
        let entries: Value = serde_json::from_str(&output(&mut ip).ok()?).ok()?;
        entries[0]["lladdr"].as_str().map(ToOwned::to_owned)
    }

    /// What has arrived at the servers since somebody looked.
    pub fn arrived(&self) -> Vec<Vec<u8>> {
        self.tap.frames()
    }
}

/// Does something in a namespace with `ip`.
pub fn ip(namespace: &Namespace, line: &str) -> anyhow::Result<()> {
    let mut ip = Command::new("ip");
    ip.args(["-n", namespace.name()]).args(line.split(' '));
    output(&mut ip).map(drop)
}

/// Gives a host an address more.
pub fn give(host: &Host, address: IpAddr) -> anyhow::Result<()> {
    // At once, without asking whether another has it (RFC 4862 section 5.4).
    let nodad = if address.is_ipv6() { " nodad" } else { "" };
    let line = format!("addr add {address}/{} dev eth0{nodad}", prefix(address));
    ip(&host.namespace, &line)
}

/// The length of an address' network on the hosts' side.
pub const fn prefix(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 24,
        IpAddr::V6(_) => 64,
    }
}

/// A capture of Ethernet frames, in the format of libpcap.
pub fn pcap(frames: &[&Vec<u8>]) -> Vec<u8> {
    const HEADER: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1];
    let records = frames.iter().flat_map(|frame| {
        let length = u32::try_from(frame.len()).expect("a frame");
        let head = [0, 0, length, length].map(u32::to_ne_bytes).concat();
        [head, (*frame).clone()].concat()
    });
    let header = HEADER.map(u32::to_ne_bytes).concat();
    header.into_iter().chain(records).collect()
}
