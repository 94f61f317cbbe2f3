//! Captures, written and read byte by byte, so that the library under test has a judge.

use std::time::Duration;

use anyhow::{Context, ensure};

/// Ethernet, as captures number it.
pub const ETHERNET: u16 = 1;
/// What `tcpdump -i any` captures.
pub const LINUX_COOKED: u16 = 113;

/// When the first packet is captured; each one after it a second and a microsecond later.
const START: Duration = Duration::from_secs(1_700_000_000);

/// When the packet with this number, counted from 0, is captured.
pub fn time(number: usize) -> Duration {
    let number = u32::try_from(number).expect("few packets");
    START + (Duration::from_secs(1) + Duration::from_micros(1)) * number
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The last byte first.
    Little,
    /// The first byte first.
    Big,
}

impl Order {
    fn u16(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

/// A pcap file in the making.
#[derive(Clone, Debug)]
pub struct Pcap {
    order: Order,
    nanoseconds: bool,
    bytes: Vec<u8>,
    count: usize,
}

impl Pcap {
    /// One without packets.
    pub fn new(order: Order, nanoseconds: bool, link: u16) -> Self {
        let magic = if nanoseconds {
            0xa1b2_3c4d
        } else {
            0xa1b2_c3d4
        };
        let bytes = [
            &order.u32(magic)[..],
            &order.u16(2),
            &order.u16(4),
            &[0; 8],
            &order.u32(262_144),
            &order.u32(link.into()),
        ];
        Self {
            order,
            nanoseconds,
            bytes: bytes.concat(),
            count: 0,
        }
    }

    /// The usual kind with these packets.
    pub fn of<'a>(packets: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
        let mut pcap = Self::new(Order::Little, false, ETHERNET);
        for packet in packets {
            pcap.add(packet, packet.len());
        }
        pcap.bytes()
    }

    /// Adds a packet that was so long on the wire.
    pub fn add(&mut self, packet: &[u8], length: usize) {
        let time = time(self.count);
        let fraction = if self.nanoseconds {
            time.subsec_nanos()
        } else {
            time.subsec_micros()
        };
        let seconds = u32::try_from(time.as_secs()).expect("before 2106");
        for number in [seconds, fraction, short(packet.len()), short(length)] {
            self.bytes.extend(self.order.u32(number));
        }
        self.bytes.extend_from_slice(packet);
        self.count += 1;
    }

    /// The file.
    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A pcapng file in the making.
#[derive(Clone, Debug)]
pub struct PcapNg {
    order: Order,
    bytes: Vec<u8>,
    count: usize,
}

impl PcapNg {
    /// One without interfaces.
    pub fn new(order: Order) -> Self {
        let mut pcapng = Self {
            order,
            bytes: Vec::new(),
            count: 0,
        };
        pcapng.section();
        pcapng
    }

    /// Begins another section.
    pub fn section(&mut self) {
        let body = [
            &self.order.u32(0x1a2b_3c4d)[..],
            &self.order.u16(1),
            &self.order.u16(0),
            &[0xff; 8],
        ];
        self.block(0x0a0d_0d0a, &body.concat());
    }

    /// Adds an interface. Its time stamps are in nanoseconds, or in microseconds, which is not said.
    pub fn interface(&mut self, name: &str, link: u16, nanoseconds: bool) {
        let mut body = [
            &self.order.u16(link)[..],
            &self.order.u16(0),
            &self.order.u32(0),
        ]
        .concat();
        body.extend(self.option(2, name.as_bytes()));
        if nanoseconds {
            body.extend(self.option(9, &[9]));
        }
        body.extend(self.option(0, &[]));
        self.block(1, &body);
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).expect("a short option");
        let mut option = [self.order.u16(code), self.order.u16(length)].concat();
        option.extend_from_slice(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    /// Adds a packet that was so long on the wire.
    pub fn add(&mut self, interface: u32, nanoseconds: bool, packet: &[u8], length: usize) {
        let time = time(self.count);
        let ticks = if nanoseconds {
            time.as_nanos()
        } else {
            time.as_micros()
        };
        let half = |half: u128| u32::try_from(half).expect("masked");
        let (high, low) = (half(ticks >> 32), half(ticks & 0xffff_ffff));
        let mut body = Vec::new();
        for number in [interface, high, low, short(packet.len()), short(length)] {
            body.extend(self.order.u32(number));
        }
        body.extend_from_slice(packet);
        self.block(6, &body);
        self.count += 1;
    }

    /// Adds a packet of the first interface, in a block that has no time stamp.
    pub fn add_simple(&mut self, packet: &[u8]) {
        let body = [&self.order.u32(short(packet.len()))[..], packet].concat();
        self.block(3, &body);
        self.count += 1;
    }

    /// Adds a block of any kind.
    pub fn block(&mut self, kind: u32, body: &[u8]) {
        let padded = body.len().next_multiple_of(4);
        let length = self.order.u32(short(padded + 12));
        self.bytes.extend(self.order.u32(kind));
        self.bytes.extend(length);
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend(length);
    }

    /// The file.
    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

fn short(length: usize) -> u32 {
    u32::try_from(length).expect("a short packet")
}

/// A packet that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When.
    pub time: Duration,
    /// How long it was.
    pub length: usize,
    /// What is left of it.
    pub bytes: Vec<u8>,
}

/// Reads a pcap file as this machine writes it, with nanoseconds.
pub fn read(file: &[u8]) -> anyhow::Result<Vec<Captured>> {
    let (header, mut rest) = file.split_at_checked(24).context("no header")?;
    let word = |bytes: &[u8], at: usize| {
        let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
        word.map(|word| u32::from_ne_bytes(*word))
            .context("cut short")
    };
    ensure!(word(header, 0)? == 0xa1b2_3c4d, "no nanoseconds");
    ensure!(word(header, 20)? == u32::from(ETHERNET), "no Ethernet");
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let captured = word(rest, 8)? as usize;
        let time = Duration::new(word(rest, 0)?.into(), word(rest, 4)?);
        let length = word(rest, 12)? as usize;
        let (bytes, behind) = rest[16..].split_at_checked(captured).context("cut short")?;
        packets.push(Captured {
            time,
            length,
            bytes: bytes.to_vec(),
        });
        rest = behind;
    }
    Ok(packets)
}
