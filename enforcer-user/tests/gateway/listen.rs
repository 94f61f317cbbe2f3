//! Waiting for what a source has to say.

use std::{sync::Arc, time::Duration};

use enforcer::sources::{EVENTS, Outlet, Said, SourceEvent};
use enforcer_common::host::SourceId;
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};

/// Longer than anything here takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(20);

/// The controller's end of the channel.
pub struct Ear {
    said: mpsc::Receiver<Said>,
    again: Arc<Notify>,
}

impl Ear {
    /// Both ends of a channel.
    pub fn new() -> (Outlet, Self) {
        let (sender, said) = mpsc::channel(EVENTS);
        let again = Arc::<Notify>::default();
        let outlet = Outlet::new(SourceId::MANAGEMENT, sender, again.clone());
        (outlet, Self { said, again })
    }

    /// Tells the source to say everything again.
    pub fn ask_again(&self) {
        self.again.notify_one();
    }

    /// The next event.
    pub async fn next(&mut self) -> SourceEvent {
        let said = timeout(LIMIT, self.said.recv())
            .await
            .expect("an event in time");
        said.expect("a source that runs").event
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

    /// Waits until the stream is open; where.
    pub async fn connected(&mut self) -> String {
        match self.news().await {
            SourceEvent::Connected { at } => at,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the stream is lost, and says why.
    pub async fn lost(&mut self) -> String {
        match self.news().await {
            SourceEvent::Lost { why } => why,
            other => panic!("{other:?}"),
        }
    }
}
