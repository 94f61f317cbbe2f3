//! A gateway and its management server, with something between hosts and server that translates addresses.

use std::{net::IpAddr, process::Command};

use enforcer_tests::{
    config::Config,
    gateway::Gateway,
    host::Host,
    lan::{SERVER, SERVER_V6, at},
    namespace::{Namespace, output},
    posture::Posture,
    remote::Remote,
    servers::HTTP,
    site::Site,
    wait,
};

/// The addresses of the gateway on the side of the servers.
pub const OUTSIDE: [&str; 2] = ["198.51.100.1", "2001:db8:2::1"];

/// Servers beyond the gateway, by both address families.
pub const SERVERS: [&str; 2] = [SERVER, SERVER_V6];

/// A management server beyond the gateway, and a gateway that follows it.
pub struct Scene<'a> {
    pub remote: Remote<'a>,
    pub gateway: Gateway<'a>,
}

impl<'a> Scene<'a> {
    /// Both, with the usual configuration.
    pub fn new(site: &'a Site) -> anyhow::Result<Self> {
        Self::with(site, Config::default())
    }

    /// Both, with this configuration.
    pub fn with(site: &'a Site, config: Config) -> anyhow::Result<Self> {
        let remote = Remote::start(site)?;
        let servers = remote.section()?;
        // Its other end, which the configuration does not name.
        let [_, v6] = remote.ends();
        let service = format!(
            "\n[[service]]\nto = [\"{}\"]\nprotocol = \"tcp\"\nports = [{}]\n",
            v6.ip(),
            v6.port()
        );
        let sections = config.sections + &service;
        site.configure(&Config {
            servers,
            sections,
            ..config
        })?;
        let gateway = site.start()?;
        Ok(Self { remote, gateway })
    }

    /// Has a host report over each address family in turn; each time the address of that family is to get the role
    /// that the server gives. A name for the device in each family: they are two endpoints.
    pub fn follows(
        &self,
        host: &Host,
        posture: fn(&'static str) -> Posture,
        names: [&'static str; 2],
    ) -> anyhow::Result<()> {
        let addresses = [host.v4, host.v6];
        for ((end, address), name) in self.remote.ends().into_iter().zip(addresses).zip(names) {
            let posture = posture(name).without_addresses();
            let role = self.remote.report(host, end, &posture)?;
            self.has_role(address, &role);
        }
        Ok(())
    }

    /// Waits until a host has this role.
    #[track_caller]
    pub fn has_role(&self, address: IpAddr, role: &str) {
        wait::until_so(format!("{address} is {role}"), || {
            self.gateway.role(address) == role
        });
    }

    /// Nothing is decided of the addresses to which the gateway translates.
    #[track_caller]
    pub fn nothing_of(&self, outside: &[&str]) {
        for address in outside {
            let row = self.gateway.host(address.parse().expect("an address"));
            assert_eq!(row, None, "{address}");
        }
    }
}

/// Whether a host reaches a server, by both address families.
pub fn passes(host: &Host) -> bool {
    SERVERS.iter().all(|server| host.passes(at(server, HTTP)))
}

/// Whether it reaches one by either.
pub fn gets_out(host: &Host) -> bool {
    SERVERS.iter().any(|server| host.passes(at(server, HTTP)))
}

/// Does something in a namespace with `ip`.
pub fn ip(namespace: &Namespace, line: &str) -> anyhow::Result<()> {
    let mut ip = Command::new("ip");
    ip.args(["-n", namespace.name()]).args(line.split(' '));
    output(&mut ip).map(drop)
}

/// A namespace beside those of a site.
pub fn place(site: &Site, name: &str) -> anyhow::Result<Namespace> {
    let lan = site.lan.gateway.name();
    let place = Namespace::new(format!("{lan}-{name}"))?;
    place.set(&[
        ("ipv6/conf/all/accept_dad", "0"),
        ("ipv6/conf/default/accept_dad", "0"),
        ("ipv6/conf/default/accept_ra", "0"),
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/default/rp_filter", "0"),
    ])?;
    Ok(place)
}
