//! Waiting for what a source has to say.

use std::time::Duration;

use enforcer::sources::{EVENTS, SourceEvent};
use tokio::{sync::mpsc, time::timeout};

/// Longer than anything here takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(20);

/// The controller's end of the channel.
pub struct Ear(mpsc::Receiver<SourceEvent>);

impl Ear {
    /// Both ends of a channel.
    pub fn new() -> (mpsc::Sender<SourceEvent>, Self) {
        let (sender, receiver) = mpsc::channel(EVENTS);
        (sender, Self(receiver))
    }

    /// The next event.
    pub async fn next(&mut self) -> SourceEvent {
        let event = timeout(LIMIT, self.0.recv())
            .await
            .expect("an event in time");
        event.expect("a source that runs")
    }

    /// The next event that is more than a sign of life.
    pub async fn news(&mut self) -> SourceEvent {
        loop {
            match self.next().await {
                SourceEvent::Alive => {}
                news => return news,
            }
        }
    }

    /// Waits until the stream is open.
    pub async fn connected(&mut self) {
        let event = self.news().await;
        assert!(matches!(event, SourceEvent::Connected), "{event:?}");
    }

    /// Waits until the stream is lost, and says why.
    pub async fn lost(&mut self) -> String {
        match self.news().await {
            SourceEvent::Lost { why } => why.to_string(),
            other => panic!("{other:?}"),
        }
    }
}
