//! Asking the kernel over netlink, and waiting for the answer: for what is asked now and then, by threads that
//! may wait. What is listened to all the time goes through `rtnetlink`.

use std::io;

use nix::sys::{
    socket::{setsockopt, sockopt},
    time::{TimeVal, TimeValLike},
};
use rtnetlink::{
    packet_core::{
        DecodeError, NLM_F_REQUEST, NetlinkBuffer, NetlinkDeserializable, NetlinkHeader,
        NetlinkMessage, NetlinkPayload, NetlinkSerializable,
    },
    sys::{Socket, SocketAddr},
};

/// How long the kernel may take for one piece of an answer, in seconds.
const ANSWER: i64 = 5;

/// The most that the kernel says at once; dumps use up to 32 KiB.
const DATAGRAM: usize = 1 << 16;

/// A socket of one protocol.
#[derive(Debug)]
pub(crate) struct Channel(Socket);

/// Why there is no answer, or none that is understood.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The kernel refused, or is silent.
    #[error(transparent)]
    Refused(#[from] io::Error),
    /// The kernel said something else than expected.
    #[error("the kernel's answer is not understood: {0}")]
    Garbled(#[from] DecodeError),
}

impl AnswerError {
    /// Whether what was asked about is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl Channel {
    /// Opens one, in the network namespace of this thread.
    pub(crate) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER))?;
        Ok(Self(socket))
    }

    /// Sends a request and hands out each message of the answer, until it ends: with its last message where it has
    /// several, else with the acknowledgement (`NLM_F_ACK`). What is handed out may be undecipherable by itself.
    pub(crate) fn ask<M, E>(
        &self,
        flags: u16,
        message: M,
        each: impl FnMut(Result<M, DecodeError>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        M: NetlinkSerializable + NetlinkDeserializable,
        E: From<AnswerError>,
    {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.0.send(&bytes, 0).map_err(AnswerError::from)?;
        self.receive(each)
    }

    fn receive<M, E>(
        &self,
        mut each: impl FnMut(Result<M, DecodeError>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        M: NetlinkDeserializable,
        E: From<AnswerError>,
    {
        let mut datagram = Vec::with_capacity(DATAGRAM);
        loop {
            datagram.clear();
            self.0.recv(&mut datagram, 0).map_err(AnswerError::from)?;
            let mut rest = datagram.as_slice();
            while !rest.is_empty() {
                let (message, behind) = split(rest).map_err(AnswerError::from)?;
                rest = behind;
                match NetlinkMessage::deserialize(message).map(|message| message.payload) {
                    Ok(NetlinkPayload::Done(_)) => return Ok(()),
                    Ok(NetlinkPayload::Error(error)) if error.code.is_none() => return Ok(()),
                    Ok(NetlinkPayload::Error(error)) => {
                        return Err(AnswerError::Refused(error.to_io()).into());
                    }
                    Ok(NetlinkPayload::InnerMessage(message)) => each(Ok(message))?,
                    Ok(_) => {}
                    Err(error) => each(Err(error))?,
                }
            }
        }
    }
}

/// The messages of a datagram, as far as their lengths can be believed.
pub(crate) fn messages(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let (message, behind) = split(rest).ok()?;
        rest = behind;
        Some(message)
    })
}

/// The first message of a datagram, and what is behind it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let length = NetlinkBuffer::new_checked(bytes)?.length() as usize;
    let padded = length.next_multiple_of(4).min(bytes.len());
    Ok((&bytes[..length], &bytes[padded..]))
}
