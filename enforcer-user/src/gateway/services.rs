//! What every host reaches whatever its role: the gateway's own services and the management server.

use std::net::{SocketAddr, ToSocketAddrs};

use enforcer_common::packet::protocol;
use ipnet::IpNet;

use super::addresses::Addresses;
use crate::{
    config::{Config, PortRange, Protocol, Servers, Service},
    sources::server::Server,
};

/// DNS and DHCP.
const DNS: u16 = 53;
const DHCP: u16 = 67;

/// The services of a gateway with these addresses on its guarded interfaces, and the management servers,
/// which have the addresses `remote` unless there is one that is embedded.
pub(crate) fn own(config: &Config, addresses: &Addresses, remote: &[SocketAddr]) -> Vec<Service> {
    let guarded = config.interfaces.iter();
    let here: Vec<IpNet> = guarded
        .flat_map(|interface| addresses.of(&interface.name))
        .map(IpNet::from)
        .collect();
    let mut services = vec![
        service(&here, protocol::UDP, &[DNS, DHCP]),
        service(&here, protocol::TCP, &[DNS, config.portal.port]),
    ];
    match config.management.servers() {
        Ok(Servers::Embedded(embedded)) => {
            let ports: Vec<u16> = embedded.listen.iter().map(SocketAddr::port).collect();
            let everywhere: Vec<IpNet> = addresses.all().map(IpNet::from).collect();
            services.push(service(&everywhere, protocol::TCP, &ports));
        }
        Ok(Servers::Remote(_)) => {
            for address in remote {
                let to = [IpNet::from(address.ip())];
                services.push(service(&to, protocol::TCP, &[address.port()]));
            }
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

/// The addresses of the management servers; of those whose name is not known now none, and that is said.
pub(super) fn resolve(servers: &[Server]) -> Vec<SocketAddr> {
    servers.iter().flat_map(resolve_one).collect()
}

fn resolve_one(server: &Server) -> Vec<SocketAddr> {
    let url = server.url();
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    if let Ok(address) = host.parse() {
        return vec![SocketAddr::new(address, port)];
    }
    match (host.as_str(), port).to_socket_addrs() {
        Ok(found) => found.collect(),
        Err(error) => {
            tracing::error!(
                "the management server {host} has no address ({error}): endpoints that are not authorized \
                 cannot report to it; write its address in `url`, or mend the name service and \
                 restart"
            );
            Vec::new()
        }
    }
}
