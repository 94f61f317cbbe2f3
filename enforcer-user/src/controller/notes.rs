//! What goes into the journal, and those who wait for it.

use std::time::{Duration, Instant};

use enforcer_common::{
    event::{Event, Kind},
    host::{Host, SourceId},
    role::RoleId,
};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{Controller, journal::Journal};
use crate::{
    control::{
        Refusal, Response,
        detail::Turn,
        event::{EventKind, EventQuery, EventView, MAX_WAIT_SECONDS},
        host::ExceptionView,
        refusal::Kind as Trouble,
        request::Mode,
    },
    identity::evidence::Moved,
    registry::{Change, Operator, Row},
};

/// How many may wait for events at once: connections are left for others.
const READERS: usize = 32;

/// More changes at once than this are one event, not one for each.
const ONE_BY_ONE: usize = 1024;

/// Somebody who waits for events.
#[derive(Debug)]
pub(super) struct Reader {
    query: EventQuery,
    until: Instant,
    answer: oneshot::Sender<Result<Response, Refusal>>,
}

impl Controller {
    /// Answers at once when there is something to say, else when there is, or after the time that is asked for.
    pub(super) fn take_reader(
        &mut self,
        query: EventQuery,
        answer: oneshot::Sender<Result<Response, Refusal>>,
    ) {
        if query.wait_seconds == 0 || self.journal.has_news(&query) {
            // Nobody may be waiting any more.
            let _ = answer.send(Ok(Response::Events(self.journal.page(&query))));
            return;
        }
        if self.readers.len() >= READERS {
            let refusal = Refusal::new(
                Trouble::Busy,
                format!("{READERS} others follow the events already"),
                "end one of them, or look again and again without `--follow`",
            );
            let _ = answer.send(Err(refusal));
            return;
        }
        let wait = query.wait_seconds.min(MAX_WAIT_SECONDS);
        self.readers.push(Reader {
            query,
            until: Instant::now() + Duration::from_secs(wait.into()),
            answer,
        });
    }

    /// Answers those for whom there is something, and those who have waited for long enough.
    pub(super) fn answer_readers(&mut self) {
        let now = Instant::now();
        let journal = &self.journal;
        let ready = |reader: &mut Reader| {
            reader.answer.is_closed() || now >= reader.until || journal.has_news(&reader.query)
        };
        for reader in self.readers.extract_if(.., ready) {
            let page = journal.page(&reader.query);
            let _ = reader.answer.send(Ok(Response::Events(page)));
        }
    }

    /// Writes down what is about no host.
    pub(super) fn note(&mut self, kind: EventKind, message: impl Into<String>) {
        self.journal.push(event(kind, message.into()));
    }

    fn note_of(&mut self, kind: EventKind, host: &Host, role: Option<String>, message: String) {
        let zone = self.zones.name(host.zone).unwrap_or_default();
        self.journal.push(EventView {
            address: Some(host.address.into()),
            zone: Some(zone.to_owned()),
            role,
            ..event(kind, message)
        });
    }

    pub(super) fn note_stop(&mut self, stop: &Event, remote: &str, reason: &str, verdict: &str) {
        let host = Host::from(stop.host);
        let is_spoof = stop.kind == Kind::Spoof as u8;
        let message = match (is_spoof, stop.monitored, stop.kind == Kind::Portal as u8) {
            (true, ..) => format!(
                "somebody at {} sent in its name",
                enforcer_common::mac::Mac::new(stop.mac)
            ),
            (_, 0, true) => format!("sent to the portal: {remote}"),
            (_, 0, _) => format!("stopped ({verdict}): {remote}"),
            _ => format!("would have been stopped ({verdict}): {remote}"),
        };
        let zone = self.zones.name(host.zone).unwrap_or_default();
        let kind = if is_spoof {
            EventKind::Spoof
        } else {
            EventKind::Stop
        };
        self.journal.push(EventView {
            address: Some(host.address.into()),
            zone: Some(zone.to_owned()),
            role: Some(self.compiled.roles.name(stop.role).to_owned()),
            reason: Some(reason.to_owned()),
            packets: Some(stop.count),
            monitored: Some(stop.monitored != 0),
            ..event(kind, message)
        });
    }

    pub(super) fn note_move(&mut self, moved: &Moved) {
        let Moved { host, from, to } = moved;
        let message = format!("{from} no longer answers there, and {to} is seen instead");
        self.note_of(EventKind::Doubt, host, None, message);
    }

    pub(super) fn note_mode(&mut self, mode: Mode, before: Mode, by: &Operator) {
        let message = format!("{} switched from {before} to {mode}", by.name);
        self.note(EventKind::Mode, message);
    }

    pub(super) fn note_exception(&mut self, host: &Host, made: &ExceptionView) {
        let until = made
            .until
            .map_or("released".to_owned(), |until| until.to_string());
        let message = format!(
            "{} made it {} until {until}: {}",
            made.by, made.role, made.reason
        );
        let role = Some(made.role.to_string());
        self.note_of(EventKind::Exception, host, role, message);
    }

    pub(super) fn note_release(&mut self, host: &Host, by: &Operator, reason: &str) {
        let message = format!("{} ended the exception: {reason}", by.name);
        self.note_of(EventKind::Exception, host, None, message);
    }

    /// Says when the lease of a source is over, and when it holds again.
    pub(super) fn note_leases(&mut self) {
        let sources: Vec<SourceId> = self.sources.keys().copied().collect();
        for source in sources {
            self.note_lease(source);
        }
    }

    fn note_lease(&mut self, source: SourceId) {
        let is_over = self.lease_seconds(source) == Some(0) && self.registry.is_complete(source);
        let Some(heard) = self.sources.get_mut(&source) else {
            return;
        };
        if std::mem::replace(&mut heard.lease_is_over, is_over) == is_over {
            return;
        }
        let name = &heard.profile.name;
        let role = self.compiled.roles.name(self.compiled.lease_expired);
        let message = if !is_over {
            format!("the lease of the source {name} holds again")
        } else if self.compiled.fail.lease_expired.is_open() {
            format!(
                "the lease of the source {name} is over: what it decided goes on, by `fail.lease_expired`"
            )
        } else {
            format!(
                "the lease of the source {name} is over: hosts that it alone decided are {role}"
            )
        };
        self.note(EventKind::Source, message);
    }

    /// Writes down which hosts have another role since, and why.
    pub(super) fn note_changes<'a>(&mut self, changes: impl Iterator<Item = &'a Change> + Clone) {
        let is_turn = |change: &&Change| {
            let decided = |row: Option<Row>| row.map(|row| (row.role, row.source));
            decided(change.before) != decided(change.after)
        };
        let turns = changes.filter(is_turn);
        let count = turns.clone().count();
        let is_bulk = count > ONE_BY_ONE;
        // Of more than there is room for, the last ones stay.
        let skipped = count.saturating_sub(Journal::room_for_turns());
        let (now, wall) = (self.clock.now(), Timestamp::now());
        for change in turns.skip(skipped) {
            let name =
                |row: Option<Row>| row.map(|row| self.compiled.roles.name(row.role).to_owned());
            let turn = Turn {
                time: wall,
                before: name(change.before),
                after: name(change.after),
                source: change
                    .after
                    .map(|row| self.source_name(row.source).to_owned()),
                cause: self.cause(change, now),
            };
            if !is_bulk {
                let or_none =
                    |role: &Option<String>| role.clone().unwrap_or("undecided".to_owned());
                let (before, after) = (or_none(&turn.before), or_none(&turn.after));
                let message = format!("{before} → {after}: {}", turn.cause);
                self.note_of(
                    EventKind::Decision,
                    &change.host,
                    turn.after.clone(),
                    message,
                );
            }
            self.journal.turn(change.host, turn);
        }
        if is_bulk {
            let message = format!("{count} hosts were decided at once");
            self.note(EventKind::Decision, message);
        }
    }

    /// Why a host has another role, as far as what is known of it tells.
    pub(super) fn cause(&self, change: &Change, now: Timestamp) -> String {
        let was_exception = change
            .before
            .is_some_and(|row| row.source == SourceId::OPERATOR);
        let Some(after) = change.after else {
            let is_over = change
                .before
                .and_then(|row| row.until)
                .is_some_and(|until| until <= now);
            return match (was_exception, is_over) {
                (true, true) => "the exception has ended".to_owned(),
                (true, false) => "the exception was ended".to_owned(),
                (false, true) => "the decision has run out".to_owned(),
                (false, false) => {
                    "the source decides of it no longer, or of another address".to_owned()
                }
            };
        };
        let view = self.registry.host(&change.host);
        if after.source == SourceId::OPERATOR {
            let exception = view.and_then(|view| view.exception);
            return exception.map_or("exception".to_owned(), |made| {
                format!("exception of {}: {}", made.by.name, made.reason)
            });
        }
        let Some(decided) = view.and_then(|view| view.decided) else {
            return if after.role == RoleId::UNKNOWN {
                "the source knows nothing of it".to_owned()
            } else {
                "decided before the gateway started".to_owned()
            };
        };
        let why = match &decided.reasons[..] {
            [] => "no rule fails".to_owned(),
            [only] => only.text.clone(),
            [first, rest @ ..] => format!("{} (+{} more)", first.text, rest.len()),
        };
        let after_exception = if was_exception {
            "after the exception, "
        } else {
            ""
        };
        match decided.shown_name() {
            Some(name) => format!("{after_exception}{name}: {why}"),
            // Of a list.
            None => format!(
                "{after_exception}{} names it",
                self.source_name(after.source)
            ),
        }
    }
}

fn event(kind: EventKind, message: String) -> EventView {
    EventView {
        sequence: 0,
        time: Timestamp::now(),
        kind,
        address: None,
        zone: None,
        role: None,
        reason: None,
        packets: None,
        monitored: None,
        message,
    }
}
