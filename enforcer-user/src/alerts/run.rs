//! The task of a target that is told by a command: a few at a time, each once.

use std::{collections::VecDeque, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{Alert, board::Seat, keep::deliver, target::Target};

/// How many run at once.
const AT_ONCE: usize = 4;

/// How many may wait for that, in memory: a command that has failed is not run again, and one that has not been run when
/// the gateway ends is not either.
const WAITING: usize = 1000;

/// Runs a command for each alert that comes in, until nobody hands over anything any more.
pub(super) async fn run(
    target: watch::Receiver<Arc<Target>>,
    mut inbox: mpsc::Receiver<Alert>,
    seat: Seat,
) {
    let mut waiting = VecDeque::new();
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(alert) = waiting.pop_front()
        {
            let target = target.borrow().clone();
            running.spawn(async move { deliver(&target, &alert).await });
        }
        seat.waiting(waiting.len() + running.len());
        tokio::select! {
            alert = inbox.recv() => match alert {
                Some(alert) => waiting.push_back(alert),
                None => break,
            },
            Some(done) = running.join_next(), if !running.is_empty() => match done {
                Ok(Ok(())) => seat.sent(),
                Ok(Err(failure)) => {
                    seat.failed(&failure);
                    seat.gave_up(1, "a command is run once");
                }
                Err(_) => seat.gave_up(1, "the command panicked within the gateway"),
            },
        }
        if waiting.len() > WAITING {
            waiting.pop_front();
            seat.gave_up(1, "more wait than there is room for; the oldest went");
        }
    }
    let left = waiting.len() + running.len();
    seat.gave_up(left as u64, "the gateway ends, or the alert is no more");
}
