//! Asking the kernel whose a connection is.

use rtnetlink::sys::protocols::NETLINK_NETFILTER;

use super::{
    table,
    translation::{Outside, Translation},
};
use crate::netlink::{AnswerError, Channel};

/// What the table says of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It passes under the addresses that it was opened with.
    Unchanged,
    /// It is translated.
    Translated(Translation),
}

/// The connections that the kernel tracks. An answer takes some microseconds.
#[derive(Debug, Default)]
pub struct Connections {
    /// Opened when it is first needed, and again after an error: then an answer may still be on the way.
    channel: Option<Channel>,
}

impl Connections {
    /// Who opened the connection that the far end sees so; `None` when it is not tracked.
    pub fn ask(&mut self, outside: Outside) -> Result<Option<Opened>, AnswerError> {
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => Channel::open(NETLINK_NETFILTER)?,
        };
        let flow = table::flow(&channel, outside)?;
        self.channel = Some(channel);
        Ok(flow.map(|flow| {
            let translation = flow.translation();
            translation.map_or(Opened::Unchanged, Opened::Translated)
        }))
    }
}
