//! What the lines of a decision stream come to, one after the other.

use enforcer_common::limits;
use enforcer_protocol::decision::{Decision, Message};

use super::SourceEvent;

/// The most decisions in a snapshot: as many endpoints as both hosts tables have rows. A bound against a
/// server that never comes to an end.
const MAX_SNAPSHOT: u64 = 2 * limits::HOSTS as u64;

/// Decisions in a part of a snapshot: read while the part before is looked at, and small beside the whole.
const PART: usize = 4096;

/// How a stream breaks its own rules. What came before it still holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfStep {
    /// A revision goes back.
    #[error(
        "it offers revision {offered}, but revision {held} is held; if its clock was set back, restart \
         the gateway so that it takes a whole snapshot"
    )]
    Older {
        /// The revision that was offered.
        offered: u64,
        /// The revision that is held.
        held: u64,
    },
    /// A snapshot has fewer or more rows than were announced.
    #[error("its snapshot has {came} decisions instead of {announced}; it was not applied")]
    Count {
        /// How many were announced.
        announced: u64,
        /// How many came.
        came: u64,
    },
    /// A snapshot is larger than this gateway takes.
    #[error("its snapshot has {announced} decisions, more than the {MAX_SNAPSHOT} that are taken")]
    TooMany {
        /// How many were announced.
        announced: u64,
    },
    /// A snapshot ends with another revision than it began with.
    #[error("its snapshot began with revision {began} and ended with {ended}; it was not applied")]
    Ending {
        /// The revision at the beginning.
        began: u64,
        /// The revision at the end.
        ended: u64,
    },
    /// A row or an end without a snapshot around it.
    #[error("it sent a part of a snapshot outside of one")]
    Stray,
    /// A change before the first snapshot, or amid one.
    #[error("it sent a change where a snapshot is due")]
    Early,
}

/// The state of one stream.
#[derive(Debug)]
pub(super) struct Follower {
    /// Which server it is of.
    server: usize,
    held: Option<u64>,
    snapshot: Option<Snapshot>,
}

#[derive(Debug)]
struct Snapshot {
    revision: u64,
    announced: u64,
    /// How many have come.
    came: u64,
    /// How many parts were handed on.
    parts: usize,
    /// What has come since.
    decisions: Vec<Decision>,
}

impl Follower {
    /// The beginning of the stream of a server that was opened with the revision that is held.
    pub(super) fn new(server: usize, held: Option<u64>) -> Self {
        Self {
            server,
            held,
            snapshot: None,
        }
    }

    /// The revision that is held now.
    pub(super) fn held(&self) -> Option<u64> {
        self.held
    }

    /// Takes one message; yields an event once one is complete.
    pub(super) fn take(&mut self, message: Message) -> Result<Option<SourceEvent>, OutOfStep> {
        match message {
            Message::Snapshot { revision, count } => self.begin(revision, count),
            Message::Row { decision } => self.row(decision),
            Message::SnapshotEnd { revision } => self.end(revision).map(Some),
            Message::Change { revision, decision } => {
                self.advance(revision)?;
                let decision = Box::new(decision);
                Ok(Some(SourceEvent::Change { revision, decision }))
            }
            Message::Withdraw { revision, endpoint } => {
                self.advance(revision)?;
                Ok(Some(SourceEvent::Withdraw { revision, endpoint }))
            }
            Message::Heartbeat { revision } => self.heartbeat(revision),
        }
    }

    fn begin(&mut self, revision: u64, announced: u64) -> Result<Option<SourceEvent>, OutOfStep> {
        self.refuse_older(revision)?;
        if self.snapshot.is_some() {
            return Err(OutOfStep::Stray);
        }
        if announced > MAX_SNAPSHOT {
            return Err(OutOfStep::TooMany { announced });
        }
        self.snapshot = Some(Snapshot {
            revision,
            announced,
            came: 0,
            parts: 0,
            decisions: Vec::new(),
        });
        Ok(None)
    }

    fn row(&mut self, decision: Decision) -> Result<Option<SourceEvent>, OutOfStep> {
        let snapshot = self.snapshot.as_mut().ok_or(OutOfStep::Stray)?;
        snapshot.decisions.push(decision);
        snapshot.came += 1;
        let (announced, came) = (snapshot.announced, snapshot.came);
        if came > announced {
            return Err(OutOfStep::Count { announced, came });
        }
        if snapshot.decisions.len() < PART {
            return Ok(None);
        }
        let decisions = std::mem::take(&mut snapshot.decisions);
        let is_first = snapshot.parts == 0;
        snapshot.parts += 1;
        Ok(Some(SourceEvent::Part {
            is_first,
            decisions,
        }))
    }

    fn end(&mut self, ended: u64) -> Result<SourceEvent, OutOfStep> {
        let Snapshot {
            revision,
            announced,
            came,
            parts,
            decisions,
        } = self.snapshot.take().ok_or(OutOfStep::Stray)?;
        if came != announced {
            return Err(OutOfStep::Count { announced, came });
        }
        if ended != revision {
            let began = revision;
            return Err(OutOfStep::Ending { began, ended });
        }
        self.held = Some(revision);
        Ok(SourceEvent::Snapshot {
            server: self.server,
            revision,
            parts,
            decisions,
        })
    }

    fn advance(&mut self, offered: u64) -> Result<(), OutOfStep> {
        let held = self.held.ok_or(OutOfStep::Early)?;
        if self.snapshot.is_some() {
            return Err(OutOfStep::Early);
        }
        if offered <= held {
            return Err(OutOfStep::Older { offered, held });
        }
        self.held = Some(offered);
        Ok(())
    }

    /// While a snapshot is still to come or to end, a heartbeat proves nothing of what is held.
    fn heartbeat(&self, revision: u64) -> Result<Option<SourceEvent>, OutOfStep> {
        self.refuse_older(revision)?;
        let is_in_step = self.held.is_some() && self.snapshot.is_none();
        Ok(is_in_step.then_some(SourceEvent::Alive))
    }

    fn refuse_older(&self, offered: u64) -> Result<(), OutOfStep> {
        match self.held {
            Some(held) if offered < held => Err(OutOfStep::Older { offered, held }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use enforcer_protocol::judgement::Level;
    use jiff::Timestamp;

    use super::*;

    fn decision() -> Decision {
        Decision {
            endpoint: "a".to_owned(),
            name: String::new(),
            owner: None,
            zone: "office".to_owned(),
            observed: None,
            observed_by: None,
            observed_at: None,
            claims: vec![],
            role: "authorized".to_owned(),
            level: Level::Safe,
            reasons: vec![],
            judged_at: Timestamp::UNIX_EPOCH,
            valid_until: None,
        }
    }

    fn row() -> Message {
        let decision = decision();
        Message::Row { decision }
    }

    fn change(revision: u64) -> Message {
        let decision = decision();
        Message::Change { revision, decision }
    }

    /// What the last of these messages comes to; those before it must be taken.
    fn last(held: Option<u64>, messages: Vec<Message>) -> Result<Option<SourceEvent>, OutOfStep> {
        let mut follower = Follower::new(0, held);
        let mut outcome = Ok(None);
        for message in messages {
            outcome.expect("taken");
            outcome = follower.take(message);
        }
        outcome
    }

    #[test]
    fn a_snapshot_counts_when_it_is_whole() {
        let begin = |count| Message::Snapshot { revision: 5, count };
        let end = |revision| Message::SnapshotEnd { revision };
        let whole = last(Some(5), vec![begin(1), row(), end(5)]);
        let Ok(Some(SourceEvent::Snapshot {
            server: 0,
            revision,
            parts: 0,
            decisions,
        })) = whole
        else {
            panic!("{whole:?}");
        };
        assert_eq!((revision, decisions.len()), (5, 1));

        let refused = |held, messages| last(held, messages).expect_err("refused");
        let count = |announced, came| OutOfStep::Count { announced, came };
        assert_eq!(refused(None, vec![begin(2), row(), end(5)]), count(2, 1));
        assert_eq!(refused(None, vec![begin(0), row()]), count(0, 1));
        let ending = OutOfStep::Ending { began: 5, ended: 6 };
        assert_eq!(refused(None, vec![begin(0), end(6)]), ending);
        let older = OutOfStep::Older {
            offered: 5,
            held: 6,
        };
        assert_eq!(refused(Some(6), vec![begin(0)]), older);
        let announced = u64::MAX;
        assert_eq!(
            refused(None, vec![begin(announced)]),
            OutOfStep::TooMany { announced }
        );
        assert_eq!(refused(None, vec![begin(1), begin(1)]), OutOfStep::Stray);
        assert_eq!(refused(None, vec![row()]), OutOfStep::Stray);
        assert_eq!(
            refused(Some(4), vec![begin(1), change(6)]),
            OutOfStep::Early
        );
    }

    #[test]
    fn a_large_snapshot_comes_in_parts() {
        let mut follower = Follower::new(0, None);
        let count = 2 * PART as u64 + 7;
        let begin = Message::Snapshot { revision: 5, count };
        let rows = (0..count).map(|_| row());
        let end = Message::SnapshotEnd { revision: 5 };
        let messages = std::iter::once(begin).chain(rows).chain([end]);
        let events = messages.filter_map(|message| follower.take(message).expect("taken"));
        let told = events.map(|event| match event {
            SourceEvent::Part {
                is_first,
                decisions,
            } => (is_first, None, decisions.len()),
            SourceEvent::Snapshot {
                parts, decisions, ..
            } => (false, Some(parts), decisions.len()),
            other => panic!("{other:?}"),
        });
        let expected = [(true, None, PART), (false, None, PART), (false, Some(2), 7)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn changes_only_go_forward_from_what_is_held() {
        assert!(matches!(
            last(Some(5), vec![change(9)]),
            Ok(Some(SourceEvent::Change { .. }))
        ));
        assert_eq!(
            last(None, vec![change(9)]).expect_err("refused"),
            OutOfStep::Early
        );
        let older = OutOfStep::Older {
            offered: 9,
            held: 9,
        };
        assert_eq!(
            last(Some(5), vec![change(9), change(9)]).expect_err("refused"),
            older
        );
    }

    #[test]
    fn a_heartbeat_renews_only_what_is_in_step() {
        let beat = || Message::Heartbeat { revision: 5 };
        assert!(matches!(
            last(Some(5), vec![beat()]),
            Ok(Some(SourceEvent::Alive))
        ));
        assert!(matches!(last(None, vec![beat()]), Ok(None)));
        let begin = Message::Snapshot {
            revision: 5,
            count: 1,
        };
        assert!(matches!(last(Some(4), vec![begin, beat()]), Ok(None)));
        let older = OutOfStep::Older {
            offered: 5,
            held: 6,
        };
        assert_eq!(last(Some(6), vec![beat()]).expect_err("refused"), older);
    }
}
