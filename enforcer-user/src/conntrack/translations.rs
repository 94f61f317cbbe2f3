//! Which connections with management servers were translated here, and whose they are.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use jiff::{SignedDuration, Timestamp};

use super::translation::{Outside, Translation};

/// The most connections that are kept: those of as many hosts that report in the time that they are kept.
pub const ROWS: usize = 1 << 16;

/// The most of one address: who opens more pushes out his own alone. Behind a further router many share one.
pub const OF_ONE: usize = 512;

/// How long a connection is kept after its end: a decision may travel late, or follow a stream that broke.
pub const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// How much earlier than a report its connection may seem to end, and how much later it may seem to begin. The kernel
/// gives a port to another connection 10 seconds after the end of one at the earliest
/// (`nf_conntrack_tcp_timeout_close`), so that within this time it is still the same one. Clocks that differ by less
/// do no harm.
pub const SLACK: SignedDuration = SignedDuration::from_secs(10);

/// The connections, by what the server sees of them. Bounded and pure: time is passed in.
#[derive(Debug, Default)]
pub struct Translations {
    rows: BTreeMap<Outside, Row>,
    /// The same by age.
    ages: BTreeMap<u64, Outside>,
    /// The same by who opened them, each by age.
    openers: HashMap<IpAddr, BTreeMap<u64, Outside>>,
    /// Those that have ended, in the order of their ends, with some that count no more.
    ended: VecDeque<(Timestamp, u64)>,
    /// The number of the next row.
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    number: u64,
    inside: SocketAddr,
    /// Since when it is known to be this one's.
    since: Timestamp,
    ended: Option<Timestamp>,
}

impl Row {
    /// Whether it was this one's when a report came by it.
    fn had(&self, reported: Timestamp) -> bool {
        let is_over = |ended: Timestamp| reported.duration_since(ended) > SLACK;
        self.since.duration_since(reported) <= SLACK && !self.ended.is_some_and(is_over)
    }
}

impl Translations {
    /// A connection begins.
    pub fn begin(&mut self, translation: Translation, now: Timestamp) {
        let Translation { outside, inside } = translation;
        self.remove(outside);
        let opener = inside.ip();
        let of_it = self.openers.get(&opener);
        let own = of_it.filter(|of_it| of_it.len() >= OF_ONE);
        let any = Some(&self.ages).filter(|ages| ages.len() >= ROWS);
        let oldest = own.or(any).and_then(|ages| ages.first_key_value());
        if let Some(oldest) = oldest.map(|(_, oldest)| *oldest) {
            self.remove(oldest);
        }
        let number = self.next;
        self.next += 1;
        self.ages.insert(number, outside);
        self.openers
            .entry(opener)
            .or_default()
            .insert(number, outside);
        let row = Row {
            number,
            inside,
            since: now,
            ended: None,
        };
        self.rows.insert(outside, row);
    }

    /// A connection is found to be there.
    pub fn note(&mut self, translation: Translation, now: Timestamp) {
        let known = self.rows.get(&translation.outside);
        let is_known = |row: &Row| row.inside == translation.inside && row.ended.is_none();
        if !known.is_some_and(is_known) {
            self.begin(translation, now);
        }
    }

    /// A connection has ended.
    pub fn end(&mut self, translation: Translation, now: Timestamp) {
        match self.rows.get(&translation.outside) {
            Some(row) if row.inside != translation.inside || row.ended.is_some() => {}
            _ => {
                self.note(translation, now);
                self.end_row(translation.outside, now);
            }
        }
    }

    /// These are all that there are: others have ended, unnoticed.
    pub fn all(&mut self, translations: &[Translation], now: Timestamp) {
        for translation in translations {
            self.note(*translation, now);
        }
        let there: HashSet<_> = translations.iter().map(|one| one.outside).collect();
        let open = self.rows.iter().filter(|(_, row)| row.ended.is_none());
        let gone = open.filter(|(outside, _)| !there.contains(outside));
        let gone: Vec<_> = gone.map(|(outside, _)| *outside).collect();
        for outside in gone {
            self.end_row(outside, now);
        }
    }

    /// Who opened the connection by which a report came at this time; the latest one where the time is not known.
    pub fn find(&self, outside: Outside, reported: Option<Timestamp>) -> Option<SocketAddr> {
        let row = self.rows.get(&outside)?;
        let had = reported.is_none_or(|reported| row.had(reported));
        had.then_some(row.inside)
    }

    /// The same where the server's end is not known, or is another one than here because it is translated once more:
    /// when all connections that come from there have the same opener.
    pub fn find_from(&self, from: SocketAddr, reported: Option<Timestamp>) -> Option<SocketAddr> {
        let rows = self.rows.range(seen_from(from, from));
        let had = |row: &&Row| reported.is_none_or(|reported| row.had(reported));
        let mut insides = rows.map(|(_, row)| row).filter(had).map(|row| row.inside);
        let first = insides.next()?;
        insides
            .all(|other| other.ip() == first.ip())
            .then_some(first)
    }

    /// Whether any connection seems to come from this address: then it is one that is translated to here.
    pub fn is_outside(&self, address: IpAddr) -> bool {
        let from = |port| SocketAddr::new(address, port);
        let mut rows = self.rows.range(seen_from(from(0), from(u16::MAX)));
        rows.next().is_some()
    }

    /// Forgets what ended long ago.
    pub fn expire(&mut self, now: Timestamp) {
        let is_due = |ended: &mut (Timestamp, u64)| now.duration_since(ended.0) > KEPT;
        while let Some((_, number)) = self.ended.pop_front_if(is_due) {
            if let Some(outside) = self.ages.get(&number).copied() {
                self.remove(outside);
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn end_row(&mut self, outside: Outside, now: Timestamp) {
        if let Some(row) = self.rows.get_mut(&outside)
            && row.ended.is_none()
        {
            row.ended = Some(now);
            self.ended.push_back((now, row.number));
        }
    }

    fn remove(&mut self, outside: Outside) {
        let Some(row) = self.rows.remove(&outside) else {
            return;
        };
        self.ages.remove(&row.number);
        let opener = row.inside.ip();
        if let Some(of_it) = self.openers.get_mut(&opener) {
            of_it.remove(&row.number);
            if of_it.is_empty() {
                self.openers.remove(&opener);
            }
        }
        // Rows that are replaced leave their ends behind until those are due.
        if self.ended.len() > 2 * ROWS {
            self.ended
                .retain(|(_, number)| self.ages.contains_key(number));
        }
    }
}

/// Every connection that seems to come from between these, whichever server it goes to.
fn seen_from(first: SocketAddr, last: SocketAddr) -> std::ops::RangeInclusive<Outside> {
    let lowest = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    let highest = SocketAddr::new(Ipv6Addr::from_bits(u128::MAX).into(), u16::MAX);
    let (from, to) = (first, lowest);
    let begin = Outside { from, to };
    let (from, to) = (last, highest);
    begin..=Outside { from, to }
}

#[cfg(test)]
mod tests;
