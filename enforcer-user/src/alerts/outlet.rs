//! The controller's end: what it hands over costs it no waiting.

use std::fmt;

use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot, watch,
};

use super::{Alert, Board, missed::Missed, target::Targets};
use crate::{
    config::{Config, Track},
    control::{
        Refusal, Response,
        alert::{AlertTotals, AlertView},
        refusal::Kind,
    },
};

/// Something that is tracked, and who is told.
#[derive(Debug)]
pub struct Tracked {
    /// The log alone, or others too.
    pub track: Track,
    /// What happened.
    pub alert: Alert,
}

/// An order to try whether an alert arrives.
#[derive(Debug)]
pub struct Ordered {
    /// With which target; absent: with all.
    pub name: Option<String>,
    /// Who ordered it.
    pub by: String,
    /// Where it is said what came of it.
    pub answer: oneshot::Sender<Result<Response, Refusal>>,
}

/// Where the controller says what happened.
pub struct Alerts {
    facts: mpsc::Sender<Tracked>,
    orders: mpsc::Sender<Ordered>,
    targets: watch::Sender<Targets>,
    missed: Missed,
    board: Board,
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts").finish_non_exhaustive()
    }
}

impl Alerts {
    pub(super) const fn new(
        facts: mpsc::Sender<Tracked>,
        orders: mpsc::Sender<Ordered>,
        targets: watch::Sender<Targets>,
        missed: Missed,
        board: Board,
    ) -> Self {
        Self {
            facts,
            orders,
            targets,
            missed,
            board,
        }
    }

    /// How many may be handed over now.
    pub fn room(&self) -> usize {
        self.facts.capacity()
    }

    /// Hands something over; what does not fit is counted.
    pub fn tell(&self, tracked: Tracked) {
        if let Err(TrySendError::Full(left) | TrySendError::Closed(left)) =
            self.facts.try_send(tracked)
        {
            let role = left.alert.role.unwrap_or_default();
            self.miss(&role, left.track, 1);
        }
    }

    /// So many of a role are not handed over at all, since there is no room.
    pub fn miss(&self, role: &str, track: Track, count: u64) {
        self.missed.add(role, track, count);
        self.board.missed(count);
    }

    /// Tells as another configuration says from now on.
    pub fn reload(&self, config: &Config) {
        self.targets.send_replace(Targets::of(config));
    }

    /// Tries whether an alert arrives; the answer comes when that is known.
    pub fn order(&self, ordered: Ordered) {
        if let Err(TrySendError::Full(left) | TrySendError::Closed(left)) =
            self.orders.try_send(ordered)
        {
            let busy = Refusal::new(
                Kind::Busy,
                "other alerts are being tried",
                "try again in a moment",
            );
            // Nobody may be waiting any more.
            let _ = left.answer.send(Err(busy));
        }
    }

    /// Whether there is a target, or one with this name.
    pub fn has(&self, name: Option<&str>) -> bool {
        let targets = self.targets.borrow();
        let mut all = targets.all.iter();
        all.any(|target| name.is_none_or(|name| target.name == name))
    }

    /// The names of the targets.
    pub fn names(&self) -> Vec<String> {
        let targets = self.targets.borrow();
        targets.all.iter().map(|one| one.name.clone()).collect()
    }

    /// How each target is.
    pub fn views(&self) -> Vec<AlertView> {
        self.board.views()
    }

    /// The figures since the start.
    pub fn totals(&self) -> AlertTotals {
        self.board.totals()
    }
}
