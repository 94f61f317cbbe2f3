//! The task of a target for which alerts wait on the disk: one after the other, again and again until it is taken.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet, block_in_place},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Alert,
    board::Seat,
    failure::Failure,
    mail,
    spool::{Put, Spool},
    target::Target,
    webhook,
};
use crate::{config::AlertWay, sources::Backoff};

/// Between two attempts: at first, and at most.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long the one that is on its way has at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Sends what comes in, and what waits, until nobody hands over anything any more: what has not arrived then waits for
/// the next start.
pub(super) async fn keep(
    mut target: watch::Receiver<Arc<Target>>,
    mut inbox: mpsc::Receiver<Alert>,
    spool: Spool,
    seat: Seat,
) {
    let mut keeper = Keeper {
        spool,
        seat,
        is_in_trouble: false,
        sending: None,
        pauses: Backoff::between(PAUSE, LONGEST_PAUSE),
        not_before: Instant::now(),
    };
    let mut attempts = JoinSet::new();
    loop {
        if attempts.is_empty()
            && Instant::now() >= keeper.not_before
            && let Some(alert) = keeper.next()
        {
            attempts.spawn(attempt(target.borrow_and_update().clone(), alert));
        }
        keeper.seat.waiting(keeper.spool.len());
        let may_wait = attempts.is_empty() && !keeper.spool.is_empty();
        tokio::select! {
            // What is not on the disk yet comes first.
            biased;
            alert = inbox.recv() => match alert {
                Some(alert) => keeper.put(&alert),
                None => break,
            },
            Some(done) = attempts.join_next(), if !attempts.is_empty() => keeper.settle(&done),
            () = sleep_until(keeper.not_before), if may_wait => {}
            Ok(()) = target.changed() => keeper.hurry(),
        }
    }
    // What is on its way would be sent again otherwise.
    if let Ok(Some(done)) = timeout(LAST_WORDS, attempts.join_next()).await {
        keeper.settle(&done);
    }
}

/// What the task of a target holds.
struct Keeper {
    spool: Spool,
    seat: Seat,
    /// Whether the disk did not take the last one.
    is_in_trouble: bool,
    /// The number of the one that is on its way.
    sending: Option<u64>,
    pauses: Backoff,
    not_before: Instant,
}

impl Keeper {
    /// The one that is to be sent now.
    fn next(&mut self) -> Option<Alert> {
        while let Some(number) = self.spool.first() {
            match block_in_place(|| self.spool.read(number)) {
                Ok(alert) => {
                    self.sending = Some(number);
                    return Some(alert);
                }
                Err(error) => {
                    self.spool.remove(number);
                    self.seat
                        .gave_up(1, &format!("of one that waited on the disk: {error}"));
                }
            }
        }
        None
    }

    fn put(&mut self, alert: &Alert) {
        let Put { given_up, trouble } = block_in_place(|| self.spool.put(alert, self.sending));
        self.seat.gave_up(
            given_up,
            "more wait than there is room for; the oldest went",
        );
        if let Some(error) = trouble.as_ref().filter(|_| !self.is_in_trouble) {
            tracing::error!(
                target: "alerts",
                "cannot write down what waits in {}: {error}; it waits in memory, and is lost when the gateway ends: make \
                 room, or mend its permissions",
                self.spool.directory().display()
            );
        }
        self.is_in_trouble = trouble.is_some();
    }

    /// What came of the one that was on its way.
    fn settle(&mut self, done: &Result<Result<(), Failure>, JoinError>) {
        let number = self.sending.take();
        let is_over = match done {
            Ok(Ok(())) => {
                self.seat.sent();
                true
            }
            Ok(Err(failure)) => {
                self.seat.failed(failure);
                failure.is_final()
            }
            // It panicked: as if there had been no answer.
            Err(_) => false,
        };
        if !is_over {
            self.not_before = Instant::now() + self.pauses.wait();
            return;
        }
        self.hurry();
        if let Some(number) = number {
            block_in_place(|| self.spool.remove(number));
        }
        if let Ok(Err(failure)) = done {
            self.seat.gave_up(1, &failure.to_string());
        }
    }

    /// Something is different now: the next attempt is at once.
    fn hurry(&mut self) {
        self.pauses.reset();
        self.not_before = Instant::now();
    }
}

async fn attempt(target: Arc<Target>, alert: Alert) -> Result<(), Failure> {
    deliver(&target, &alert).await
}

/// Sends an alert once.
pub(super) async fn deliver(target: &Target, alert: &Alert) -> Result<(), Failure> {
    match &target.way {
        AlertWay::Mail(mail) => mail::send(mail, alert).await,
        AlertWay::Webhook(webhook) => webhook::send(webhook, alert).await,
        AlertWay::Command(command) => super::command::run(command, &target.identity, alert).await,
    }
}
