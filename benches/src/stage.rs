//! A running gateway that follows a management server of the benchmark's own, and its tables as the programs read them.

use std::{
    net::{IpAddr, Ipv4Addr},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use enforcer::datapath::{Datapath, Options};
use enforcer_common::{decide::Tables, host::Host, role::RoleId};
use enforcer_tests::{
    config::Config, gateway::Gateway, odd_management::OddManagement, site::Site, wait,
};

/// Where the management server listens.
const PORT: u16 = 9443;
/// Between two looks at the tables: long beside the look itself, short beside what is measured.
const PAUSE: Duration = Duration::from_micros(50);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Room for every host of any part.
const CAPACITY: u32 = 1 << 20;

/// The network, and the server that decides.
pub struct Stage {
    /// The network around the gateway, and its files.
    pub site: Site,
    /// Who decides.
    pub server: OddManagement,
}

impl Stage {
    /// A network in which no gateway runs yet.
    pub fn new() -> Result<Self> {
        let site = Site::new()?;
        let server = OddManagement::start(&site, PORT)?;
        site.configure(&Config {
            host_capacity: CAPACITY,
            servers: server.keys(&site)?,
            sections: "[[scope]]\nprefix = \"10.0.0.0/8\"\naction = \"checked\"\n".to_owned(),
            ..Config::default()
        })?;
        Ok(Self { site, server })
    }

    /// Starts the gateway, and waits until it holds what the server decided.
    pub fn start(&self) -> Result<Gateway<'_>> {
        let gateway = Gateway::launch(&self.site)?;
        let ready = wait::within(PATIENCE, || gateway.is_ready().then_some(()));
        ready.with_context(|| format!("the gateway is not ready after {PATIENCE:?}"))?;
        Ok(gateway)
    }

    /// Looks into the tables of the gateway that runs.
    pub fn observer(&self) -> Result<Observer> {
        let datapath = Datapath::open(Options {
            pin_dir: self.site.pin_dir(),
            host_capacity: CAPACITY,
        })?;
        Ok(Observer(datapath))
    }
}

/// The `n`th host of 10.0.0.0/8.
pub fn address(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + n).into()
}

/// The tables of a gateway. Only read.
pub struct Observer(Datapath);

impl Observer {
    /// The role that the kernel holds for an address.
    pub fn role(&self, address: IpAddr) -> Option<RoleId> {
        let host = Host {
            // The only one.
            zone: 0,
            address: address.into(),
        };
        self.0.live(0).host(&host).map(|row| row.role)
    }

    /// When an address has this role.
    pub fn once(&self, address: IpAddr, role: RoleId) -> Result<Instant> {
        let found = self.once_within(address, role, PATIENCE);
        found.with_context(|| format!("{address} has not the role {role:?} after {PATIENCE:?}"))
    }

    /// When an address has this role; none if not within the limit.
    pub fn once_within(&self, address: IpAddr, role: RoleId, limit: Duration) -> Option<Instant> {
        let deadline = Instant::now() + limit;
        loop {
            let found = self.role(address);
            let now = Instant::now();
            if found == Some(role) {
                return Some(now);
            }
            if now > deadline {
                return None;
            }
            thread::sleep(PAUSE);
        }
    }
}

/// The memory of a gateway, in bytes: what it holds now.
pub fn resident(gateway: &Gateway<'_>) -> Result<u64> {
    let path = format!("/proc/{}/status", gateway.pid());
    let status = std::fs::read_to_string(path)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(size.parse::<u64>()? * 1024)
}
