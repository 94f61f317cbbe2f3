//! Asking for the same page over and over, as an impatient user does.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::answer::{Answer, get_within};
use super::namespace::Namespace;
use super::wait::patient;

/// How impatient the user is.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// How long connecting may take.
    pub(super) connecting: Duration,
    /// How long the answer may take after that.
    pub(super) answering: Duration,
    /// How long after it the next question comes.
    pub(super) pause: Duration,
}

/// To find the moment at which a host is let in: a reply that was held is only sent again a second
/// later, so that it is quicker to connect anew.
pub(super) const IMPATIENT: Pace = Pace {
    connecting: Duration::from_millis(10),
    answering: Duration::from_millis(500),
    pause: Duration::from_millis(5),
};

/// To see that everything stays as it is, leaving time to a machine that is busy.
pub(super) const STEADY: Pace = Pace {
    connecting: Duration::from_millis(500),
    answering: Duration::from_millis(500),
    pause: Duration::from_millis(10),
};

/// One answer, and when it was there.
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) answer: Answer,
}

/// Questions that go on until this is dropped.
pub(super) struct Watch {
    answers: Receiver<Seen>,
    /// What has been looked at.
    past: Vec<Seen>,
    /// Dropping it ends the questions.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to ask a server for its page from inside a namespace.
    pub(super) fn start(namespace: &Namespace, server: SocketAddr, pace: Pace) -> Result<Self> {
        let (stop, stopped) = channel();
        let (tell, answers) = channel();
        let namespace = namespace.clone();
        let ask = move || {
            namespace.join()?;
            go_on(server, pace, &stopped, &tell);
            anyhow::Ok(())
        };
        // A thread that cannot enter tells nothing, and whoever waits for an answer learns of that.
        let thread = thread::Builder::new().spawn(move || drop(ask()))?;
        Ok(Self {
            answers,
            past: Vec::new(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// When the first answer came that is wanted, of those after `since`.
    pub(super) fn first(
        &mut self,
        what: &str,
        limit: Duration,
        since: Instant,
        wanted: impl Fn(&Answer) -> bool,
    ) -> Result<Instant> {
        let limit = patient(limit);
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let seen = match self.answers.recv_timeout(left) {
                Ok(seen) => seen,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => bail!("the questions have ended"),
            };
            let (at, found) = (seen.at, seen.at > since && wanted(&seen.answer));
            self.past.push(seen);
            if found {
                return Ok(at);
            }
        }
        let last = self.past.last().map(|seen| seen.answer.to_string());
        let last = last.unwrap_or_else(|| "no answer at all".to_owned());
        bail!(
            "{what}: not within {} ms, the last was {last}",
            limit.as_millis()
        )
    }

    /// Ends the questions and hands out all answers.
    pub(super) fn end(mut self) -> Result<Vec<Seen>> {
        self.stop = None;
        let thread = self.thread.take().context("the questions have ended")?;
        thread.join().ok().context("the questions have failed")?;
        self.past.extend(self.answers.try_iter());
        Ok(self.past)
    }
}

fn go_on(server: SocketAddr, pace: Pace, stopped: &Receiver<()>, tell: &Sender<Seen>) {
    loop {
        let answer = get_within(server, "/", pace.connecting, pace.answering);
        let at = Instant::now();
        if tell.send(Seen { at, answer }).is_err() {
            return;
        }
        match stopped.recv_timeout(pace.pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
