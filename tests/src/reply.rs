//! What the datapath sends, read by an independent library that checks every checksum.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, ensure};
use enforcer_common::{
    host::Family,
    packet::{Frame, parse},
};
use etherparse::{NetHeaders, PacketHeaders, TcpHeader, TransportHeader};

/// A frame's link header: MAC addresses and VLAN tags, as they are in front of its packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The MAC address that it is for.
    pub to: [u8; 6],
    /// The MAC address that it is from.
    pub from: [u8; 6],
    /// The tags with their types, and the type of what follows.
    pub rest: Vec<u8>,
}

impl Link {
    /// The link header of a frame.
    pub fn of(frame: &[u8]) -> anyhow::Result<Self> {
        let mut end = 14;
        while matches!(
            frame.get(end - 2..end),
            Some([0x81 | 0x91, 0] | [0x88, 0xa8])
        ) {
            end += 4;
        }
        let header = frame.get(..end).context("no link header")?;
        Ok(Self {
            to: *header.first_chunk().context("no MAC address")?,
            from: *header[6..].first_chunk().context("no MAC address")?,
            rest: header[12..].to_vec(),
        })
    }

    /// The same towards where it came from.
    #[must_use]
    pub fn turned_around(self) -> Self {
        Self {
            to: self.from,
            from: self.to,
            ..self
        }
    }
}

/// A TCP segment.
pub struct Reply {
    /// Who it says to be from.
    pub from: SocketAddr,
    /// Whom it is for.
    pub to: SocketAddr,
    /// Its link header.
    pub link: Link,
    /// Its TCP header.
    pub tcp: TcpHeader,
    /// Bytes that it carries.
    pub carried: usize,
}

impl Reply {
    /// Reads a frame; an error when a length or checksum is wrong.
    pub fn parse(frame: &[u8]) -> anyhow::Result<Self> {
        let packet = PacketHeaders::from_ethernet_slice(frame)?;
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
            link: Link::of(frame)?,
            carried: payload.len(),
            tcp,
        })
    }
}

/// An ICMP error.
pub struct Error {
    /// Who it says to be from.
    pub from: IpAddr,
    /// Whom it is for.
    pub to: IpAddr,
    /// Its link header.
    pub link: Link,
    /// Its type and code.
    pub kind: (u8, u8),
    /// What it quotes.
    pub quote: Vec<u8>,
}

impl Error {
    /// Reads a frame; an error when a length or checksum is wrong, or when it is no ICMP.
    pub fn parse(frame: &[u8]) -> anyhow::Result<Self> {
        let packet = PacketHeaders::from_ethernet_slice(frame)?;
        let quote = packet.payload.slice().to_vec();
        let head = match &packet.transport {
            Some(TransportHeader::Icmpv4(icmp)) => icmp.to_bytes().to_vec(),
            Some(TransportHeader::Icmpv6(icmp)) => icmp.to_bytes().to_vec(),
            _ => anyhow::bail!("no ICMP header"),
        };
        let (from, to, pseudo) = match packet.net.context("no IP header")? {
            NetHeaders::Ipv4(ip, _) => {
                ensure!(
                    ip.header_checksum == ip.calc_header_checksum(),
                    "IP checksum"
                );
                (ip.source.into(), ip.destination.into(), Vec::new())
            }
            NetHeaders::Ipv6(ip, _) => {
                let length = u32::try_from(head.len() + quote.len())?.to_be_bytes();
                let pseudo = [&ip.source[..], &ip.destination, &length, &[0, 0, 0, 58]].concat();
                (ip.source.into(), ip.destination.into(), pseudo)
            }
            NetHeaders::Arp(_) => anyhow::bail!("ARP"),
        };
        ensure!(
            checksum(&[&pseudo[..], &head, &quote].concat()) == 0,
            "ICMP checksum"
        );
        Ok(Self {
            from,
            to,
            link: Link::of(frame)?,
            kind: (head[0], head[1]),
            quote,
        })
    }

    /// Whether it says "administratively prohibited" of this packet, to its sender, and quotes as much of it as it may.
    pub fn check_that_it_answers(&self, packet: &[u8]) -> anyhow::Result<()> {
        let Ok(Frame::Ip(sent)) = parse(packet) else {
            anyhow::bail!("what it answers is no packet");
        };
        let (kind, most) = match sent.source.family() {
            // RFC 1812 section 4.3.2.3, RFC 4443 section 2.4(c).
            Family::V4 => ((3, 13), 576 - 28),
            Family::V6 => ((1, 1), 1280 - 48),
        };
        ensure!(self.to == IpAddr::from(sent.source), "to {}", self.to);
        ensure!(self.kind == kind, "type and code {:?}", self.kind);
        let link = Link::of(packet)?.turned_around();
        ensure!(self.link == link, "{:?}", self.link);
        let whole = &packet[sent.network..sent.end];
        ensure!(whole.starts_with(&self.quote), "quotes something else");
        let quoted = self.quote.len();
        // Whole words of four bytes.
        ensure!(quoted == whole.len().min(most) & !3, "quotes {quoted}");
        Ok(())
    }
}

/// The Internet checksum of bytes (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u64 = bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("sixteen bits")
}
