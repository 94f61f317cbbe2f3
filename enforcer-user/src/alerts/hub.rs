//! The task that all that is tracked goes through: it writes the log, and passes on to each target what that wants, at its
//! pace.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{self, MissedTickBehavior},
};

use super::{
    Alert, Board,
    board::Seat,
    keep::keep,
    missed::Missed,
    outlet::{Ordered, Tracked},
    pace::{Held, Pace},
    run::run,
    spool::{self, BOUNDS, Spool},
    target::{Target, Targets},
    tried,
};
use crate::config::Track;

/// How often it is looked whether something is to be summed up.
const TICK: Duration = Duration::from_millis(250);

/// How many may wait for the task of a target: it takes them at once, and keeps them itself.
const INBOX: usize = 1024;

/// How many orders are carried out at once.
const TRIALS: usize = 4;

/// Everything that the task listens to.
pub(super) struct Ears {
    pub(super) facts: mpsc::Receiver<Tracked>,
    pub(super) orders: mpsc::Receiver<Ordered>,
    pub(super) targets: watch::Receiver<Targets>,
    pub(super) missed: Missed,
}

/// What the task holds.
pub(super) struct Hub {
    spools: PathBuf,
    board: Board,
    posts: BTreeMap<String, Post>,
    workers: JoinSet<()>,
    /// Orders that are carried out.
    trials: JoinSet<()>,
}

/// The way to the task of a target.
struct Post {
    target: watch::Sender<Arc<Target>>,
    inbox: mpsc::Sender<Alert>,
    pace: Pace,
    seat: Seat,
    worker: tokio::task::AbortHandle,
}

impl Hub {
    pub(super) fn new(spools: PathBuf, board: Board) -> Self {
        Self {
            spools,
            board,
            posts: BTreeMap::new(),
            workers: JoinSet::new(),
            trials: JoinSet::new(),
        }
    }

    /// Tells until nobody hands over anything any more, and writes the rest down.
    pub(super) async fn run(mut self, mut ears: Ears) {
        let mut tick = time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let targets = ears.targets.borrow_and_update().clone();
        self.follow(&targets);
        loop {
            tokio::select! {
                Ok(()) = ears.targets.changed() => {
                    let targets = ears.targets.borrow_and_update().clone();
                    self.follow(&targets);
                }
                tracked = ears.facts.recv() => match tracked {
                    Some(tracked) => self.tell(&tracked),
                    None => break,
                },
                Some(ordered) = ears.orders.recv(), if self.trials.len() < TRIALS => {
                    let targets = ears.targets.borrow().clone();
                    self.trials.spawn(tried::answer(targets, ordered));
                }
                _ = tick.tick() => {
                    self.take_missed(&ears.missed);
                    let now = Instant::now();
                    self.sum_up(|pace| pace.due(now));
                    while self.workers.try_join_next().is_some() {}
                    while self.trials.try_join_next().is_some() {}
                }
            }
        }
        self.take_missed(&ears.missed);
        self.sum_up(Pace::rest);
        // Their inboxes close: they write down what they have.
        self.posts.clear();
        while self.workers.join_next().await.is_some() {}
    }

    /// Has a task for each target, and for no other.
    fn follow(&mut self, targets: &Targets) {
        let named: BTreeMap<_, _> = targets.all.iter().map(|one| (&*one.name, one)).collect();
        let is_gone = |name: &str, post: &Post| {
            let (before, after) = (post.target.borrow(), named.get(name));
            after.is_none_or(|after| after.is_kept() != before.is_kept())
        };
        self.posts.retain(|name, post| {
            let gone = is_gone(name, post);
            if gone {
                post.worker.abort();
                self.board.leave(name);
            }
            !gone
        });
        for target in &targets.all {
            match self.posts.get_mut(&target.name) {
                Some(post) => {
                    // Its kind may be another one.
                    post.seat = self.board.seat(&target.name, target.kind);
                    let current = target.clone();
                    post.target.send_if_modified(|before| {
                        let differs = *before != current;
                        *before = current;
                        differs
                    });
                }
                None => self.open(target),
            }
        }
        self.name_orphans();
    }

    fn open(&mut self, target: &Arc<Target>) {
        let seat = self.board.seat(&target.name, target.kind);
        let (inbox, alerts) = mpsc::channel(INBOX);
        let (changes, named) = watch::channel(target.clone());
        let worker = if target.is_kept() {
            let (spool, trouble) = Spool::open(self.spools.join(&target.name), BOUNDS);
            if let Some(error) = trouble {
                let path = spool.directory().display();
                tracing::error!(target: "alerts", "cannot read what waits in {path}: {error}; mend its permissions");
            }
            if !spool.is_empty() {
                tracing::info!(target: "alerts", alert = target.name, waiting = spool.len(), "alerts wait from before");
            }
            self.workers.spawn(keep(named, alerts, spool, seat.clone()))
        } else {
            self.workers.spawn(run(named, alerts, seat.clone()))
        };
        let post = Post {
            target: changes,
            inbox,
            pace: Pace::default(),
            seat,
            worker,
        };
        self.posts.insert(target.name.clone(), post);
    }

    /// What waits for targets that are no more is nobody's.
    fn name_orphans(&self) {
        let directories = std::fs::read_dir(&self.spools)
            .into_iter()
            .flatten()
            .flatten();
        let names: BTreeSet<_> = directories
            .filter_map(|directory| directory.file_name().into_string().ok())
            .filter(|name| {
                self.posts
                    .get(name)
                    .is_none_or(|post| !post.target.borrow().is_kept())
            })
            .collect();
        for name in names {
            let directory = self.spools.join(&name);
            let waiting = spool::count(&directory);
            if waiting > 0 {
                let path = directory.display();
                tracing::warn!(
                    target: "alerts",
                    waiting,
                    "alerts wait in {path} for `{name}`, which is no mail or webhook of the configuration: name it again, or \
                     remove the directory"
                );
            }
        }
    }

    fn tell(&mut self, tracked: &Tracked) {
        let Tracked { track, alert } = tracked;
        log(alert);
        if *track != Track::Alert {
            return;
        }
        let (role, now) = (alert.role.as_deref().unwrap_or_default(), Instant::now());
        for post in self.posts.values_mut() {
            let target = post.target.borrow().clone();
            if !target.wants(alert) || !post.pace.admit(role, target.per_minute, now) {
                continue;
            }
            if post.inbox.try_send(alert.clone()).is_err() {
                post.pace.hold(role, 1, now);
            }
        }
    }

    fn take_missed(&mut self, missed: &Missed) {
        let now = Instant::now();
        for (role, (track, count)) in missed.take() {
            tracing::warn!(
                target: "track",
                event = "missed",
                role,
                count,
                "more came under the role, or was stopped under it, at once than is told one by one"
            );
            if track != Track::Alert {
                continue;
            }
            for post in self.posts.values_mut() {
                if post.target.borrow().wants_role(&role) {
                    post.pace.hold(&role, count, now);
                }
            }
        }
    }

    fn sum_up(&mut self, due: impl Fn(&mut Pace) -> Option<Held>) {
        let now = Instant::now();
        for post in self.posts.values_mut() {
            let Some(held) = due(&mut post.pace) else {
                continue;
            };
            if post.inbox.try_send(held.alert()).is_ok() {
                post.seat.summarised(held.count());
                continue;
            }
            for (role, count) in held.roles() {
                post.pace.hold(role, count, now);
            }
        }
    }
}

/// One line, whose fields are those of the alert.
fn log(alert: &Alert) {
    tracing::info!(
        target: "track",
        id = %alert.id,
        event = %alert.event,
        host = alert.host.map(tracing::field::display),
        zone = alert.zone,
        role = alert.role,
        role_before = alert.role_before,
        source = alert.source,
        endpoint = alert.endpoint,
        owner = alert.owner,
        reasons = (!alert.reasons.is_empty()).then(|| alert.reasons.join(",")),
        stop_reason = alert.stop_reason,
        verdict = alert.verdict,
        remote = alert.remote.map(tracing::field::display),
        port = alert.port,
        protocol = alert.protocol,
        monitored = alert.monitored,
        "{}",
        alert.message
    );
}
