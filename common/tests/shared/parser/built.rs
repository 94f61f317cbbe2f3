//! Packets that the independent library builds.

use enforcer_common::packet::Ports;
use etherparse::{
    IpFragOffset, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv4Options, Ipv6Extensions,
    Ipv6FlowLabel, Ipv6Header, PacketBuilder, PacketBuilderStep, VlanId,
};
use proptest::{collection::vec, prelude::*};

/// A packet that the independent library builds.
#[derive(Clone, Debug)]
pub struct Built {
    pub vlans: Vec<u16>,
    pub source: [u8; 16],
    pub destination: [u8; 16],
    pub options: usize,
    pub hop_limit: u8,
    pub upper: Upper,
    pub payload: Vec<u8>,
}

#[derive(Clone, Debug)]
pub enum Upper {
    Tcp(u16, u16, bool),
    Udp(u16, u16),
    Ping,
    Other(u8),
}

fn upper() -> impl Strategy<Value = Upper> {
    prop_oneof![
        any::<(u16, u16, bool)>().prop_map(|(from, to, syn)| Upper::Tcp(from, to, syn)),
        any::<(u16, u16)>().prop_map(|(from, to)| Upper::Udp(from, to)),
        Just(Upper::Ping),
        (140_u8..253).prop_map(Upper::Other),
    ]
}

/// A packet at random.
pub fn built() -> impl Strategy<Value = Built> {
    (
        vec(0..4096_u16, 0..=2),
        any::<([u8; 16], [u8; 16])>(),
        0..=10_usize,
        any::<u8>(),
        upper(),
        vec(any::<u8>(), 0..80),
    )
        .prop_map(
            |(vlans, (source, destination), words, hop_limit, upper, payload)| Built {
                vlans,
                source,
                destination,
                options: words * 4,
                hop_limit,
                upper,
                payload,
            },
        )
}

impl Built {
    /// As IPv4.
    pub fn v4(&self) -> Vec<u8> {
        let mut header = Ipv4Header {
            source: first_four(self.source),
            destination: first_four(self.destination),
            time_to_live: self.hop_limit,
            fragment_offset: IpFragOffset::ZERO,
            ..Ipv4Header::default()
        };
        header.options = Ipv4Options::try_from(&[1; 40][..self.options]).expect("whole words");
        self.over(IpHeaders::Ipv4(header, Ipv4Extensions::default()), true)
    }

    /// As IPv6.
    pub fn v6(&self) -> Vec<u8> {
        let header = Ipv6Header {
            flow_label: Ipv6FlowLabel::ZERO,
            hop_limit: self.hop_limit,
            source: self.source,
            destination: self.destination,
            ..Ipv6Header::default()
        };
        self.over(IpHeaders::Ipv6(header, Ipv6Extensions::default()), false)
    }

    fn over(&self, ip: IpHeaders, v4: bool) -> Vec<u8> {
        let ethernet = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let vlan = |id: u16| VlanId::try_new(id).expect("twelve bits");
        let step = match self.vlans[..] {
            [] => ethernet.ip(ip),
            [one] => ethernet.single_vlan(vlan(one)).ip(ip),
            [outer, inner, ..] => ethernet.double_vlan(vlan(outer), vlan(inner)).ip(ip),
        };
        let mut bytes = Vec::new();
        self.write(step, v4, &mut bytes).expect("writing to memory");
        bytes
    }

    fn write(
        &self,
        step: PacketBuilderStep<IpHeaders>,
        v4: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), etherparse::err::packet::BuildWriteError> {
        match self.upper {
            Upper::Tcp(from, to, true) => step.tcp(from, to, 1, 2).syn().write(out, &self.payload),
            Upper::Tcp(from, to, false) => {
                step.tcp(from, to, 1, 2).ack(3).write(out, &self.payload)
            }
            Upper::Udp(from, to) => step.udp(from, to).write(out, &self.payload),
            Upper::Ping if v4 => step.icmpv4_echo_request(1, 1).write(out, &self.payload),
            Upper::Ping => step.icmpv6_echo_request(1, 1).write(out, &self.payload),
            Upper::Other(number) => step.write(out, IpNumber(number), &self.payload),
        }
    }

    /// The number of what it carries.
    pub fn protocol(&self, v4: bool) -> u8 {
        match self.upper {
            Upper::Tcp(..) => 6,
            Upper::Udp(..) => 17,
            Upper::Ping if v4 => 1,
            Upper::Ping => 58,
            Upper::Other(number) => number,
        }
    }

    /// Its ports, if it has any.
    pub fn ports(&self) -> Option<Ports> {
        match self.upper {
            Upper::Tcp(source, destination, _) | Upper::Udp(source, destination) => Some(Ports {
                source,
                destination,
            }),
            Upper::Ping | Upper::Other(_) => None,
        }
    }
}

/// The IPv4 address that stands for this IPv6 address.
pub fn first_four([a, b, c, d, ..]: [u8; 16]) -> [u8; 4] {
    [a, b, c, d]
}
