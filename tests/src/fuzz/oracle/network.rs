//! IPv4 and IPv6.

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, ip_number,
};

use super::{Packet, Reading, Rule, Rules, upper};
use enforcer_common::packet::{Kind, Part, Refusal, Transport};

/// Extension headers that are walked at most.
const HEADERS: usize = 8;

/// The longest packet that fragments may make up (RFC 791 section 3.2).
const LONGEST: usize = 65_535;

const MOBILITY: IpNumber = IpNumber(135);

/// A fragment: where it begins in units of eight bytes, and whether others follow.
#[derive(Clone, Copy)]
struct Place {
    offset: u16,
    more: bool,
}

impl Place {
    fn part(self) -> Part {
        match self {
            Self {
                offset: 0,
                more: false,
            } => Part::Whole,
            Self { offset: 0, .. } => Part::First,
            Self { .. } => Part::Later,
        }
    }
}

pub(super) fn v4(reading: &mut Reading<'_>) -> Result<Kind, Refusal> {
    let ip = reading.network;
    let header = Ipv4HeaderSlice::from_slice(ip).map_err(|_| Refusal::Malformed)?;
    let total = usize::from(header.total_len());
    let ip = ends(ip, total, 0, &mut reading.rules)?;
    let body = ip.get(header.slice().len()..).ok_or(Refusal::Malformed)?;
    if header.protocol() == ip_number::AUTH {
        reading.rules.add(Rule::AuthenticationInV4);
    }
    let place = Place {
        offset: header.fragments_offset().value(),
        more: header.more_fragments(),
    };
    let packet = Packet {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        hop_limit: header.ttl(),
        protocol: header.protocol().0,
        goes_on: !header.options().is_empty(),
        part: place.part(),
        fragment_id: Some(header.identification().into()),
        transport: Transport::None,
        body,
    };
    fragment(place, header.slice().len(), body, &mut reading.rules)?;
    carry(reading, packet, place)
}

pub(super) fn v6(reading: &mut Reading<'_>) -> Result<Kind, Refusal> {
    let ip = reading.network;
    let header = Ipv6HeaderSlice::from_slice(ip).map_err(|_| Refusal::Malformed)?;
    let length = usize::from(header.payload_length());
    let body = ends(&ip[header.slice().len()..], length, 1, &mut reading.rules)?;
    let mut chain = Chain {
        next: header.next_header(),
        all: body,
        body,
        place: Place {
            offset: 0,
            more: false,
        },
        fragment_id: None,
        goes_on: false,
        rules: &mut reading.rules,
    };
    chain.walk()?;
    let Chain {
        next,
        body,
        place,
        fragment_id,
        goes_on,
        ..
    } = chain;
    let packet = Packet {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        hop_limit: header.hop_limit(),
        protocol: next.0,
        goes_on,
        part: place.part(),
        fragment_id,
        transport: Transport::None,
        body,
    };
    carry(reading, packet, place)
}

/// Reads what the packet carries.
fn carry<'a>(
    reading: &mut Reading<'a>,
    mut packet: Packet<'a>,
    place: Place,
) -> Result<Kind, Refusal> {
    if place.part() == Part::Later {
        // RFC 3128: it would overwrite the flags that were judged.
        if packet.protocol == ip_number::TCP.0 && place.offset < 3 {
            return Err(Refusal::Malformed);
        }
    } else {
        packet.transport = upper::read(packet.protocol, packet.body, &mut reading.rules)?;
    }
    reading.packet = Some(packet);
    Ok(Kind::Ip)
}

/// The bytes that a length field speaks of; `least` is what a length of zero leaves out of a packet that is not empty.
fn ends<'a>(
    bytes: &'a [u8],
    length: usize,
    least: usize,
    rules: &mut Rules,
) -> Result<&'a [u8], Refusal> {
    if length == 0 && bytes.len() > LONGEST {
        rules.add(Rule::BigTcp);
        return Ok(bytes);
    }
    if length == 0 && bytes.len() >= least && least > 0 {
        rules.add(Rule::EmptyV6);
    }
    bytes.get(..length).ok_or(Refusal::Malformed)
}

/// Whether a fragment is one that an honest sender makes. So many bytes before it count in the length of the packet.
fn fragment(place: Place, before: usize, body: &[u8], rules: &mut Rules) -> Result<(), Refusal> {
    if place.part() == Part::Whole {
        return Ok(());
    }
    rules.add(Rule::Fragment);
    let uneven = place.more && !body.len().is_multiple_of(8);
    if uneven || before + usize::from(place.offset) * 8 + body.len() > LONGEST {
        return Err(Refusal::Malformed);
    }
    Ok(())
}

/// What is left of an IPv6 packet behind the headers that were read.
struct Chain<'a, 'r> {
    next: IpNumber,
    all: &'a [u8],
    body: &'a [u8],
    place: Place,
    fragment_id: Option<u32>,
    goes_on: bool,
    rules: &'r mut Rules,
}

impl Chain<'_, '_> {
    fn walk(&mut self) -> Result<(), Refusal> {
        for count in 0.. {
            if self.place.part() == Part::Later || !self.next_is_extension() {
                return Ok(());
            }
            if count == HEADERS {
                self.rules.add(Rule::Depth);
                return Err(Refusal::TooDeep);
            }
            if count > 0 && self.next == ip_number::IPV6_HEADER_HOP_BY_HOP {
                self.rules.add(Rule::LateHopByHop);
            }
            self.step().ok_or(Refusal::Malformed)?;
        }
        Ok(())
    }

    fn next_is_extension(&self) -> bool {
        use ip_number::{
            AUTHENTICATION_HEADER, IPV6_DESTINATION_OPTIONS, IPV6_FRAGMENTATION_HEADER,
            IPV6_HEADER_HOP_BY_HOP, IPV6_ROUTE_HEADER,
        };
        matches!(
            self.next,
            IPV6_HEADER_HOP_BY_HOP
                | IPV6_ROUTE_HEADER
                | IPV6_FRAGMENTATION_HEADER
                | AUTHENTICATION_HEADER
                | IPV6_DESTINATION_OPTIONS
                | MOBILITY
        )
    }

    /// Reads one header.
    fn step(&mut self) -> Option<()> {
        match self.next {
            ip_number::IPV6_FRAGMENTATION_HEADER => self.fragment(),
            ip_number::AUTHENTICATION_HEADER => {
                let header = IpAuthHeaderSlice::from_slice(self.body).ok()?;
                self.skip(header.slice().len(), header.next_header().0)
            }
            next => {
                if next == MOBILITY {
                    self.rules.add(Rule::Mobility);
                }
                let header = Ipv6RawExtHeaderSlice::from_slice(self.body).ok()?;
                // Behind the type of a routing header stands how many stations are left (RFC 8200 section 4.4).
                self.goes_on |= next == ip_number::IPV6_ROUTE_HEADER && header.payload()[1] != 0;
                self.skip(header.slice().len(), header.next_header().0)
            }
        }
    }

    fn skip(&mut self, length: usize, next: u8) -> Option<()> {
        self.body = self.body.get(length..)?;
        self.next = IpNumber(next);
        Some(())
    }

    fn fragment(&mut self) -> Option<()> {
        let header = Ipv6FragmentHeaderSlice::from_slice(self.body).ok()?;
        if self.place.part() != Part::Whole {
            return None;
        }
        let before = self.all.len() - self.body.len();
        self.skip(header.slice().len(), header.next_header().0)?;
        self.place = Place {
            offset: header.fragment_offset().value(),
            more: header.more_fragments(),
        };
        self.fragment_id = Some(header.identification());
        fragment(self.place, before, self.body, self.rules).ok()
    }
}
