//! What every host reaches whatever its role: the gateway's own services and the management server.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use enforcer_common::packet::protocol;
use ipnet::IpNet;

use super::{GatewayError, addresses};
use crate::{
    config::{Config, PortRange, Protocol, Server as Named, Service},
    sources::server::Server,
};

/// DNS and DHCP.
const DNS: u16 = 53;
const DHCP: u16 = 67;

/// The services of this gateway on its guarded interfaces, and the management server's address.
pub(super) fn own(config: &Config, server: &Server) -> Result<Vec<Service>, GatewayError> {
    let guarded = |name: &str| {
        config
            .interfaces
            .iter()
            .any(|interface| interface.name == name)
    };
    let all: Vec<(String, IpAddr)> = addresses::all().map_err(GatewayError::Addresses)?.collect();
    let here: Vec<IpNet> = all
        .iter()
        .filter(|(name, _)| guarded(name))
        .map(|(_, address)| IpNet::from(*address))
        .collect();
    let mut services = vec![
        service(&here, protocol::UDP, &[DNS, DHCP]),
        service(&here, protocol::TCP, &[DNS, config.portal.port]),
    ];
    if let Ok(Named::Embedded(embedded)) = config.management.server() {
        let ports: Vec<u16> = embedded.listen.iter().map(SocketAddr::port).collect();
        let everywhere: Vec<IpNet> = all
            .iter()
            .map(|(_, address)| IpNet::from(*address))
            .collect();
        services.push(service(&everywhere, protocol::TCP, &ports));
    } else {
        let remote: Vec<IpNet> = resolve(server).into_iter().map(IpNet::from).collect();
        let port = server.url().port_or_known_default().unwrap_or(443);
        services.push(service(&remote, protocol::TCP, &[port]));
    }
    services.retain(|service| !service.to.is_empty());
    Ok(services)
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
fn resolve(server: &Server) -> Vec<IpAddr> {
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
