//! What the datapath sends, read by an independent library that checks every checksum.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use etherparse::{NetHeaders, PacketHeaders, TcpHeader, TransportHeader};

/// A TCP segment.
pub struct Reply {
    /// Who it says to be from.
    pub from: SocketAddr,
    /// Whom it is for.
    pub to: SocketAddr,
    /// The MAC address that it is from.
    pub from_mac: [u8; 6],
    /// The MAC address that it is for.
    pub to_mac: [u8; 6],
    /// Its TCP header.
    pub tcp: TcpHeader,
}

impl Reply {
    /// Reads a frame; an error when a length or checksum is wrong, or when bytes follow.
    pub fn parse(frame: &[u8]) -> anyhow::Result<Self> {
        let packet = PacketHeaders::from_ethernet_slice(frame)?;
        let Some(etherparse::LinkHeader::Ethernet2(ethernet)) = packet.link else {
            anyhow::bail!("no Ethernet header");
        };
        let Some(TransportHeader::Tcp(tcp)) = packet.transport else {
            anyhow::bail!("no TCP header");
        };
        let payload = packet.payload.slice();
        let (from, to, checksum) = match packet.net.context("no IP header")? {
            NetHeaders::Ipv4(ip, _) => {
                ensure!(
                    ip.header_checksum == ip.calc_header_checksum(),
                    "IP checksum"
                );
                let checksum = tcp.calc_checksum_ipv4(&ip, payload)?;
                (ip.source.into(), ip.destination.into(), checksum)
            }
            NetHeaders::Ipv6(ip, _) => {
                let checksum = tcp.calc_checksum_ipv6(&ip, payload)?;
                (ip.source.into(), ip.destination.into(), checksum)
            }
            NetHeaders::Arp(_) => anyhow::bail!("ARP"),
        };
        ensure!(tcp.checksum == checksum, "TCP checksum");
        Ok(Self {
            from: SocketAddr::new(from, tcp.source_port),
            to: SocketAddr::new(to, tcp.destination_port),
            from_mac: ethernet.source,
            to_mac: ethernet.destination,
            tcp,
        })
    }
}
