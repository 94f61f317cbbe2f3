//! The other end of a flow, as an operator writes it: `ADDRESS:PORT/PROTOCOL`.

use std::{
    fmt,
    net::{AddrParseError, IpAddr, SocketAddr},
    num::ParseIntError,
    str::FromStr,
};

use enforcer_common::packet::protocol;
use serde::{Deserialize, Serialize};

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// The address.
    pub address: IpAddr,
    /// The port, where the protocol has ports.
    #[serde(default)]
    pub port: Option<u16>,
    /// The IP protocol number.
    pub protocol: u8,
}

/// Why a text is no [`Remote`].
#[derive(Debug, thiserror::Error)]
pub enum ParseRemoteError {
    /// What stands before the slash is no address, with or without a port.
    #[error(
        "`{0}` is no address; write 192.0.2.1:443/tcp, [2001:db8::1]:443/tcp or 192.0.2.1/icmp"
    )]
    Address(String, #[source] AddrParseError),
    /// What stands behind the slash is no protocol.
    #[error("`{0}` is no protocol; take tcp, udp, sctp, icmp or a number from 0 to 255")]
    Protocol(String, #[source] ParseIntError),
    /// The protocol has ports and none is given.
    #[error("`{0}` lacks the port; write 192.0.2.1:443/tcp or [2001:db8::1]:443/tcp")]
    NoPort(String),
    /// The protocol has no ports and one is given.
    #[error("`{0}` has a port, which this protocol does not; leave it out")]
    Port(String),
}

impl FromStr for Remote {
    type Err = ParseRemoteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (place, name) = text.rsplit_once('/').unwrap_or((text, "tcp"));
        let (address, port) = place_of(place)?;
        let protocol = protocol_of(name, address)?;
        let has_ports = matches!(protocol, protocol::TCP | protocol::UDP | protocol::SCTP);
        match (has_ports, port) {
            (true, None) => Err(ParseRemoteError::NoPort(text.to_owned())),
            (false, Some(_)) => Err(ParseRemoteError::Port(text.to_owned())),
            _ => Ok(Self {
                address,
                port,
                protocol,
            }),
        }
    }
}

fn place_of(text: &str) -> Result<(IpAddr, Option<u16>), ParseRemoteError> {
    if let Ok(place) = text.parse::<SocketAddr>() {
        return Ok((place.ip(), Some(place.port())));
    }
    text.parse()
        .map(|address| (address, None))
        .map_err(|error| ParseRemoteError::Address(text.to_owned(), error))
}

fn protocol_of(name: &str, address: IpAddr) -> Result<u8, ParseRemoteError> {
    match (name, address) {
        ("tcp", _) => Ok(protocol::TCP),
        ("udp", _) => Ok(protocol::UDP),
        ("sctp", _) => Ok(protocol::SCTP),
        ("icmp", IpAddr::V4(_)) => Ok(protocol::ICMP),
        ("icmp" | "icmpv6", IpAddr::V6(_)) => Ok(protocol::ICMPV6),
        _ => name
            .parse()
            .map_err(|error| ParseRemoteError::Protocol(name.to_owned(), error)),
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}", SocketAddr::new(self.address, port))?,
            None => write!(f, "{}", self.address)?,
        }
        match self.protocol {
            protocol::TCP => f.write_str("/tcp"),
            protocol::UDP => f.write_str("/udp"),
            protocol::SCTP => f.write_str("/sctp"),
            protocol::ICMP | protocol::ICMPV6 => f.write_str("/icmp"),
            other => write!(f, "/{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_shown() {
        for text in [
            "192.0.2.1:443/tcp",
            "[2001:db8::1]:53/udp",
            "192.0.2.1/icmp",
            "2001:db8::1/icmp",
            "192.0.2.1/47",
        ] {
            let remote: Remote = text.parse().expect(text);
            assert_eq!(remote.to_string(), text);
        }
    }

    #[test]
    fn tcp_is_meant_when_nothing_is_said() {
        let remote: Remote = "192.0.2.1:443".parse().expect("a remote");
        assert_eq!((remote.port, remote.protocol), (Some(443), protocol::TCP));
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, hint) in [
            ("router:443/tcp", "no address"),
            ("192.0.2.1:443/tpc", "tcp, udp"),
            ("192.0.2.1/tcp", "lacks the port"),
            ("192.0.2.1:8/icmp", "leave it out"),
            ("2001:db8::1", "lacks the port"),
        ] {
            let error = text.parse::<Remote>().expect_err(text).to_string();
            assert!(error.contains(hint), "{error}");
        }
    }
}
