//! Watches the addresses of the interfaces.

use std::io;

use enforcer_protocol::posture::Interface;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, Fuse, pending},
    stream::BoxStream,
};
use rtnetlink::{MulticastGroup, new_multicast_connection};

use crate::collect::interfaces;

const GROUPS: [MulticastGroup; 2] = [MulticastGroup::Ipv4Ifaddr, MulticastGroup::Ipv6Ifaddr];

/// Sees an address come or go.
pub struct AddressWatch {
    /// Moves messages from the kernel's socket into `messages`, while it is polled.
    connection: Fuse<BoxFuture<'static, ()>>,
    messages: BoxStream<'static, ()>,
    last: Vec<Interface>,
}

impl AddressWatch {
    /// Begins to watch.
    pub fn begin() -> io::Result<Self> {
        let (connection, _, messages) = new_multicast_connection(&GROUPS)?;
        Ok(Self {
            connection: connection.boxed().fuse(),
            messages: messages.map(|_| ()).boxed(),
            last: interfaces::with_addresses(),
        })
    }

    /// Waits for the addresses to be others than before. The kernel also tells of each renewal, which
    /// changes nothing.
    pub async fn changed(&mut self) {
        loop {
            self.told().await;
            let now = interfaces::with_addresses();
            if now != self.last {
                self.last = now;
                return;
            }
        }
    }

    /// Waits for the kernel to tell anything; for ever once it no longer does.
    async fn told(&mut self) {
        let message = tokio::select! {
            () = &mut self.connection => None,
            message = self.messages.next() => message,
        };
        if message.is_none() {
            tracing::warn!(
                "the kernel no longer tells of addresses; they are reported at the interval"
            );
            pending::<()>().await;
        }
    }
}
