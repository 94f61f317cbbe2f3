//! What happened, in memory: the newest events for whoever follows them, and the newest turns of every host. Both
//! are rings: what is old makes room, and a reader who is slow is told how much it missed.

use std::collections::VecDeque;

use enforcer_common::host::Host;
use jiff::Timestamp;

use crate::control::{
    detail::Turn,
    event::{EventPage, EventQuery, EventView, MAX_EVENTS, Mark},
};

/// How many events are kept: a few megabytes.
const EVENTS: usize = 1 << 14;

/// How many turns are kept, over all hosts: as much.
const TURNS: usize = 1 << 15;

/// The longest sentence, in bytes.
const SENTENCE: usize = 400;

/// The rings. Pure: time is passed in.
#[derive(Debug)]
pub(super) struct Journal {
    run: u64,
    /// The number of the newest event; 0 before the first.
    newest: u64,
    events: VecDeque<EventView>,
    turns: VecDeque<(Host, Turn)>,
    capacity: usize,
}

impl Journal {
    /// An empty one, of a gateway that was started then.
    pub(super) fn new(started: Timestamp) -> Self {
        Self::with_room_for(EVENTS, started)
    }

    fn with_room_for(capacity: usize, started: Timestamp) -> Self {
        Self {
            run: u64::try_from(started.as_microsecond()).unwrap_or(0),
            newest: 0,
            events: VecDeque::new(),
            turns: VecDeque::new(),
            capacity,
        }
    }

    /// Takes an event, whose number is given to it here.
    pub(super) fn push(&mut self, mut event: EventView) {
        self.newest += 1;
        event.sequence = self.newest;
        shorten(&mut event.message);
        if self.events.len() == self.capacity {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Takes a turn of a host.
    pub(super) fn turn(&mut self, host: Host, mut turn: Turn) {
        shorten(&mut turn.cause);
        if self.turns.len() == TURNS {
            self.turns.pop_front();
        }
        self.turns.push_back((host, turn));
    }

    /// How many turns there is room for.
    pub(super) const fn room_for_turns() -> usize {
        TURNS
    }

    /// The turns of a host, the newest first.
    pub(super) fn turns(&self, host: &Host) -> impl Iterator<Item = &Turn> {
        let newest_first = self.turns.iter().rev();
        newest_first.filter_map(move |(of, turn)| (of == host).then_some(turn))
    }

    /// The newest events, the oldest of them first.
    pub(super) fn newest(&self, count: usize) -> Vec<EventView> {
        let skipped = self.events.len().saturating_sub(count);
        self.events.iter().skip(skipped).cloned().collect()
    }

    /// Whether there is anything for a reader who has read so far.
    pub(super) fn has_news(&self, query: &EventQuery) -> bool {
        query
            .after
            .is_none_or(|mark| mark.run != self.run || mark.sequence < self.newest)
    }

    /// What is asked for, as far as it is there.
    pub(super) fn page(&self, query: &EventQuery) -> EventPage {
        let limit = query.limit.min(MAX_EVENTS) as usize;
        let Some(mark) = query.after else {
            let events = self.newest(limit);
            return self.page_of(events, self.newest, 0, false);
        };
        let restarted = mark.run != self.run;
        let read = if restarted { 0 } else { mark.sequence };
        let forgotten = self.newest - self.events.len() as u64;
        let lost = forgotten.saturating_sub(read);
        let skipped = usize::try_from(read.saturating_sub(forgotten)).unwrap_or(usize::MAX);
        let events: Vec<_> = self
            .events
            .iter()
            .skip(skipped)
            .take(limit)
            .cloned()
            .collect();
        let end = events
            .last()
            .map_or(read.max(forgotten), |event| event.sequence);
        self.page_of(events, end, lost, restarted)
    }

    fn page_of(
        &self,
        events: Vec<EventView>,
        sequence: u64,
        lost: u64,
        restarted: bool,
    ) -> EventPage {
        EventPage {
            events,
            mark: Mark {
                run: self.run,
                sequence,
            },
            lost,
            restarted,
        }
    }
}

/// Texts of others must not fill the memory.
fn shorten(text: &mut String) {
    if text.len() > SENTENCE {
        text.truncate(text.floor_char_boundary(SENTENCE));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::host::Address;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::control::event::EventKind;

    fn event(message: String) -> EventView {
        EventView {
            sequence: 0,
            time: Timestamp::UNIX_EPOCH,
            kind: EventKind::Source,
            address: None,
            zone: None,
            role: None,
            reason: None,
            packets: None,
            monitored: None,
            message,
        }
    }

    fn journal(capacity: usize) -> Journal {
        let started = Timestamp::from_second(1).expect("a time");
        Journal::with_room_for(capacity, started)
    }

    fn after(mark: Mark, limit: u32) -> EventQuery {
        EventQuery {
            after: Some(mark),
            limit,
            wait_seconds: 0,
        }
    }

    proptest! {
        /// Whatever a reader's pace: each event is read once and in order, or counted as lost.
        #[test]
        fn every_event_is_read_or_counted_as_lost(steps in vec((0..9u64, 1..5u32), 1..40)) {
            let mut journal = journal(7);
            let mut mark = journal.page(&EventQuery::default()).mark;
            let (mut written, mut read, mut lost) = (0, 0, 0);
            for (events, limit) in steps {
                for _ in 0..events {
                    written += 1;
                    journal.push(event(written.to_string()));
                }
                let page = journal.page(&after(mark, limit));
                lost += page.lost;
                for event in &page.events {
                    read += 1;
                    prop_assert_eq!(event.sequence, read + lost);
                    prop_assert_eq!(&event.message, &event.sequence.to_string());
                }
                prop_assert!(page.events.len() <= limit as usize && !page.restarted);
                mark = page.mark;
            }
            let rest = journal.page(&after(mark, 100));
            prop_assert_eq!(read + rest.events.len() as u64 + lost + rest.lost, written);
            prop_assert!(!journal.has_news(&after(rest.mark, 1)));
            prop_assert!(journal.events.len() <= 7);
        }
    }

    #[test]
    fn a_reader_notices_that_the_gateway_was_started_anew() {
        let mut journal = journal(7);
        journal.push(event("the first".to_owned()));
        let before = Mark {
            run: 1,
            sequence: 99,
        };
        assert!(journal.has_news(&after(before, 1)));
        let page = journal.page(&after(before, 10));
        assert!(page.restarted && page.lost == 0 && page.events.len() == 1);
        assert!(!journal.page(&after(page.mark, 10)).restarted);
    }

    #[test]
    fn turns_are_kept_by_host_and_the_newest_comes_first() {
        let mut journal = journal(7);
        let host = |last| Host {
            zone: 0,
            address: Address::v4([10, 0, 0, last]),
        };
        let turn = |cause: &str| Turn {
            time: Timestamp::UNIX_EPOCH,
            before: None,
            after: None,
            source: None,
            cause: cause.to_owned(),
        };
        journal.turn(host(1), turn("first"));
        journal.turn(host(2), turn("another"));
        journal.turn(host(1), turn("second"));
        let causes: Vec<_> = journal.turns(&host(1)).map(|turn| &turn.cause).collect();
        assert_eq!(causes, ["second", "first"]);
        for _ in 0..TURNS {
            journal.turn(host(3), turn("many"));
        }
        assert_eq!(journal.turns(&host(1)).count(), 0);
        assert_eq!(journal.turns.len(), TURNS);
    }

    #[test]
    fn a_text_of_any_length_takes_little_room() {
        let mut journal = journal(1);
        journal.push(event("ä".repeat(10_000)));
        assert!(journal.events[0].message.len() < SENTENCE + 4);
    }
}
