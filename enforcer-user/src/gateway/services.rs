//! What every host reaches whatever its role: the gateway's own services and the management server.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use enforcer_common::packet::protocol;
use ipnet::IpNet;

use super::addresses::Addresses;
use crate::{
    config::{Config, PortRange, Protocol, Server as Named, Service},
    sources::server::Server,
};

/// DNS and DHCP.
const DNS: u16 = 53;
const DHCP: u16 = 67;

/// The services of a gateway with these addresses on its guarded interfaces, and the management server,
/// which has the addresses `remote` unless it is embedded.
pub(crate) fn own(config: &Config, addresses: &Addresses, remote: &[IpAddr]) -> Vec<Service> {
    let guarded = config.interfaces.iter();
    let here: Vec<IpNet> = guarded
        .flat_map(|interface| addresses.of(&interface.name))
        .map(IpNet::from)
        .collect();
    let mut services = vec![
        service(&here, protocol::UDP, &[DNS, DHCP]),
        service(&here, protocol::TCP, &[DNS, config.portal.port]),
    ];
    match config.management.server() {
        Ok(Named::Embedded(embedded)) => {
            let ports: Vec<u16> = embedded.listen.iter().map(SocketAddr::port).collect();
            let everywhere: Vec<IpNet> = addresses.all().map(IpNet::from).collect();
            services.push(service(&everywhere, protocol::TCP, &ports));
        }
        Ok(Named::Remote { url, .. }) => {
            let remote: Vec<IpNet> = remote.iter().copied().map(IpNet::from).collect();
            let port = url.port_or_known_default().unwrap_or(443);
            services.push(service(&remote, protocol::TCP, &[port]));
        }
        // Refused before anything is compiled.
        Err(_) => {}
    }
    services.retain(|service| !service.to.is_empty());
    services
}

fn service(to: &[IpNet], number: u8, ports: &[u16]) -> Service {
    Service {
        to: to.to_vec(),
        protocol: Protocol::Number(number),
        ports: ports
            .iter()
            .map(|port| PortRange {
                first: *port,
                last: *port,
            })
            .collect(),
    }
}

/// The addresses of the management server; none, and said, when its name is not known now.
pub(super) fn resolve(server: &Server) -> Vec<IpAddr> {
    let url = server.url();
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    match (host.as_str(), 0).to_socket_addrs() {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(error) => {
            tracing::error!(
                "the management server {host} has no address ({error}): endpoints that are not authorized \
                 cannot report to it; write its address in `management.url`, or mend the name service and \
                 restart"
            );
            Vec::new()
        }
    }
}
