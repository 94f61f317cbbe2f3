//! Generic netlink, as far as interfaces need it: a family is looked up by its name, and asked.

use rtnetlink::{
    packet_core::{
        DecodeError, DefaultNla, Emitable, NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLM_F_ACK,
        NetlinkDeserializable, NetlinkHeader, NetlinkSerializable, Nla, NlasIterator, Parseable,
    },
    sys::protocols::NETLINK_GENERIC,
};

use crate::netlink::{AnswerError, Channel};

/// The family that tells of families, and what it is asked (`linux/genetlink.h`).
const CONTROL: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

const HEADER: usize = 4;

/// A message to or from a family.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// The number of the family.
    family: u16,
    /// What is asked or answered.
    pub command: u8,
    /// With which attributes.
    pub attributes: Vec<DefaultNla>,
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        self.family
    }

    fn buffer_len(&self) -> usize {
        HEADER + self.attributes.as_slice().buffer_len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        // The second byte is the version, which is 1 in all families.
        buffer[..HEADER].copy_from_slice(&[self.command, 1, 0, 0]);
        self.attributes.as_slice().emit(&mut buffer[HEADER..]);
    }
}

impl NetlinkDeserializable for Message {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        let (head, attributes) = payload
            .split_at_checked(HEADER)
            .ok_or_else(|| DecodeError::buffer_too_small(payload.len(), HEADER))?;
        Ok(Self {
            family: header.message_type,
            command: head[0],
            attributes: parts(attributes)?,
        })
    }
}

/// The attributes that stand in these bytes.
pub(super) fn parts(bytes: &[u8]) -> Result<Vec<DefaultNla>, DecodeError> {
    NlasIterator::new(bytes)
        .map(|part| DefaultNla::parse(&part?))
        .collect()
}

/// What an attribute is, without the marks of how it is made up.
pub(super) fn kind(attribute: &DefaultNla) -> u16 {
    const MARKS: u16 = NLA_F_NESTED | NLA_F_NET_BYTEORDER;
    attribute.kind() & !MARKS
}

/// The bytes of an attribute.
pub(super) fn value(attribute: &DefaultNla) -> Vec<u8> {
    let mut bytes = vec![0; attribute.value_len()];
    attribute.emit_value(&mut bytes);
    bytes
}

/// An attribute made of others.
pub(super) fn nested(kind: u16, parts: &[DefaultNla]) -> DefaultNla {
    let mut bytes = vec![0; parts.buffer_len()];
    parts.emit(&mut bytes);
    DefaultNla::new(kind | NLA_F_NESTED, bytes)
}

/// An attribute with a text.
pub(super) fn text(kind: u16, text: &str) -> DefaultNla {
    DefaultNla::new(kind, [text.as_bytes(), b"\0"].concat())
}

/// A family of this kernel.
pub(super) struct Family {
    channel: Channel,
    number: u16,
}

impl Family {
    /// The family with this name.
    pub(super) fn open(name: &str) -> Result<Self, AnswerError> {
        let channel = Channel::open(NETLINK_GENERIC)?;
        let mut control = Self {
            channel,
            number: CONTROL,
        };
        let answer = control.ask(GET_FAMILY, vec![text(FAMILY_NAME, name)])?;
        let is_number = |part: &&DefaultNla| kind(part) == FAMILY_ID;
        let number = answer.iter().flatten().find(is_number).map(value);
        let number = number.and_then(|bytes| Some(u16::from_ne_bytes(bytes.try_into().ok()?)));
        control.number = number.ok_or_else(|| DecodeError::from("a family without a number"))?;
        Ok(control)
    }

    /// Asks, and collects the attributes of each answer.
    pub(super) fn ask(
        &self,
        command: u8,
        attributes: Vec<DefaultNla>,
    ) -> Result<Vec<Vec<DefaultNla>>, AnswerError> {
        let mut answers = Vec::new();
        let request = Message {
            family: self.number,
            command,
            attributes,
        };
        self.channel.ask(NLM_F_ACK, request, |answer| {
            answers.push(answer?.attributes);
            Ok::<(), AnswerError>(())
        })?;
        Ok(answers)
    }
}
