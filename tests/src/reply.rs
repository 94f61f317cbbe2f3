//! What the datapath sends, read by an independent library that checks every checksum.

use std::net::{IpAddr, SocketAddr};

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

/// An ICMP error.
pub struct Error {
    from: IpAddr,
    to: IpAddr,
    macs: ([u8; 6], [u8; 6]),
    kind: (u8, u8),
    quote: Vec<u8>,
}

impl Error {
    /// Reads a frame; an error when a length or checksum is wrong, or when it is no ICMP.
    pub fn parse(frame: &[u8]) -> anyhow::Result<Self> {
        let packet = PacketHeaders::from_ethernet_slice(frame)?;
        let Some(etherparse::LinkHeader::Ethernet2(ethernet)) = packet.link else {
            anyhow::bail!("no Ethernet header");
        };
        let quote = packet.payload.slice().to_vec();
        let head = match &packet.transport {
            Some(TransportHeader::Icmpv4(icmp)) => icmp.to_bytes().to_vec(),
            Some(TransportHeader::Icmpv6(icmp)) => icmp.to_bytes().to_vec(),
            _ => anyhow::bail!("no ICMP header"),
        };
        let (from, to) = match packet.net.context("no IP header")? {
            NetHeaders::Ipv4(ip, _) => {
                ensure!(
                    ip.header_checksum == ip.calc_header_checksum(),
                    "IP checksum"
                );
                ensure!(folded(&[], &[&head, &quote]) == 0, "ICMP checksum");
                (IpAddr::from(ip.source), IpAddr::from(ip.destination))
            }
            NetHeaders::Ipv6(ip, _) => {
                let length = u32::try_from(head.len() + quote.len())?.to_be_bytes();
                let pseudo = [&ip.source[..], &ip.destination, &length, &[0, 0, 0, 58]].concat();
                ensure!(folded(&pseudo, &[&head, &quote]) == 0, "ICMPv6 checksum");
                (IpAddr::from(ip.source), IpAddr::from(ip.destination))
            }
            NetHeaders::Arp(_) => anyhow::bail!("ARP"),
        };
        Ok(Self {
            from,
            to,
            macs: (ethernet.source, ethernet.destination),
            kind: (head[0], head[1]),
            quote,
        })
    }

    /// Whether it says "administratively prohibited" of this packet, to its sender.
    pub fn check_that_it_answers(&self, packet: &[u8]) -> anyhow::Result<()> {
        let sent = PacketHeaders::from_ethernet_slice(packet)?;
        let Some(etherparse::LinkHeader::Ethernet2(ethernet)) = sent.link else {
            anyhow::bail!("no Ethernet header");
        };
        let (source, kind, most) = match sent.net.context("no IP header")? {
            NetHeaders::Ipv4(ip, _) => (IpAddr::from(ip.source), (3, 13), 576 - 28),
            NetHeaders::Ipv6(ip, _) => (IpAddr::from(ip.source), (1, 1), 1280 - 48),
            NetHeaders::Arp(_) => anyhow::bail!("ARP"),
        };
        ensure!(self.to == source, "to {}, not {source}", self.to);
        ensure!(self.from != source, "from itself");
        ensure!(self.kind == kind, "type and code {:?}", self.kind);
        ensure!(self.macs == (ethernet.destination, ethernet.source), "MAC");
        let at = packet
            .windows(self.quote.len().min(28))
            .position(|window| self.quote.starts_with(window))
            .context("what it quotes is not of the packet")?;
        let rest = &packet[at..];
        ensure!(
            rest.starts_with(&self.quote),
            "what it quotes is not of the packet"
        );
        ensure!(
            self.quote.len() >= most.min(rest.len()) & !3,
            "quotes only {}",
            self.quote.len()
        );
        ensure!(self.quote.len() <= most, "quotes {}", self.quote.len());
        Ok(())
    }
}

/// The one's complement of the sum of all words (RFC 1071).
fn folded(pseudo: &[u8], parts: &[&[u8]]) -> u16 {
    let bytes = [&[pseudo], parts].concat().concat();
    let mut sum: u64 = bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("sixteen bits")
}
