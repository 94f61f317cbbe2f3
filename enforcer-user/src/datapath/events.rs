//! The ring of events.

use aya::maps::{MapData, RingBuf};
use enforcer_common::event::Event;
use tokio::io::unix::AsyncFd;

use super::DatapathError;

/// Reads what the programs report.
pub struct Events {
    ring: AsyncFd<RingBuf<MapData>>,
}

impl Events {
    pub(super) fn new(ring: RingBuf<MapData>) -> Result<Self, DatapathError> {
        // SAFETY: the ring owns its descriptor and keeps it open and unchanged until it is dropped.
        let ring = unsafe { AsyncFd::register(ring) }
            .map_err(|error| DatapathError::Events(error.into()))?;
        Ok(Self { ring })
    }

    /// Waits for events and appends those that are there, at most `most`, to `events`.
    pub async fn read(
        &mut self,
        events: &mut Vec<Event>,
        most: usize,
    ) -> Result<(), DatapathError> {
        loop {
            let mut guard = self
                .ring
                .readable_mut()
                .await
                .map_err(DatapathError::Events)?;
            let ring = guard.get_inner_mut();
            let before = events.len();
            while events.len() - before < most {
                let Some(item) = ring.next() else {
                    guard.clear_ready();
                    break;
                };
                // An event of another length is of another build, which the ABI version rules out.
                if let Ok(event) = bytemuck::try_pod_read_unaligned(&item) {
                    events.push(event);
                }
            }
            if events.len() > before {
                return Ok(());
            }
        }
    }
}
