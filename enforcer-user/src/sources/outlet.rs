//! Where sources say what they learn, and hear that they are to say it again.

use std::sync::Arc;

use enforcer_common::host::SourceId;
use tokio::sync::{Notify, mpsc};

use super::SourceEvent;

/// How many events may wait besides when a part of something large is put behind them.
const FEW: usize = 4;

/// What one of the sources says.
#[derive(Clone, Debug)]
pub struct Said {
    /// Which one.
    pub source: SourceId,
    /// What.
    pub event: SourceEvent,
}

/// Where one source says what it learns.
#[derive(Clone, Debug)]
pub struct Outlet {
    source: SourceId,
    said: mpsc::Sender<Said>,
    again: Arc<Notify>,
}

impl Outlet {
    /// The outlet of this source. `again` is how it is told to say everything again.
    pub fn new(source: SourceId, said: mpsc::Sender<Said>, again: Arc<Notify>) -> Self {
        Self {
            source,
            said,
            again,
        }
    }

    /// Says something; waits while too much waits already.
    pub async fn tell(&self, event: SourceEvent) {
        let source = self.source;
        // An error means that nobody listens any more: see `closed`.
        let _ = self.said.send(Said { source, event }).await;
    }

    /// Says a part of something large, once nearly all that was said before is taken: so only few of them are in memory
    /// at a time.
    pub async fn tell_part(&self, event: SourceEvent) {
        let source = self.source;
        let room = self.said.max_capacity().saturating_sub(FEW).max(1);
        let room = self.said.reserve_many(room).await;
        // As above, nobody may listen any more.
        if let Some(place) = room.ok().and_then(|mut room| room.next()) {
            place.send(Said { source, event });
        }
    }

    /// Ready when nobody listens any more.
    pub async fn closed(&self) {
        self.said.closed().await;
    }

    /// Ready when the source is to say everything again that it decided.
    pub async fn asked_again(&self) {
        self.again.notified().await;
    }
}
